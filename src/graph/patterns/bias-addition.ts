import type { GraphView } from '../view.ts';

/** x and b when `value` is x + b with a vector b of the file, and x has the sum's shape. */
export function biasAddition(view: GraphView, value: string): { source: string; bias: string } | undefined {
  const add = view.producerOf(value, 'Add');
  if (!add) return undefined;
  const rank = view.rank(value);
  const at = add.inputs.findIndex((input) => view.isInitializer(input) && view.rank(input) === 1);
  const source = add.inputs[1 - at];
  if (at < 0 || source === undefined || view.rank(source) !== rank || view.isInitializer(source))
    return undefined;
  const width = view.graph.types.get(source)?.dims?.at(-1);
  const bias = add.inputs[at]!;
  return width === view.graph.types.get(bias)?.dims?.[0] ? { source, bias } : undefined;
}
