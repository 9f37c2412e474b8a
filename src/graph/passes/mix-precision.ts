import type { GraphBuilder } from '../builder.ts';
import { type Node, opName } from '../graph.ts';
import { asProduct, type Product, spans } from '../patterns/product.ts';

/** Number formats of half the size that GPUs multiply in their matrix units, which add up in float32. */
export type HalfType = 'float16' | 'bfloat16';

/** Ops that move elements of their first input and change none: they may as well move narrower ones. */
const moves = new Set([
  ...['Reshape', 'Transpose', 'Squeeze', 'Unsqueeze', 'Flatten', 'Identity', 'Slice', 'Expand', 'Split'],
]);

/** The matrix units take 8 numbers at a time. A product with a shorter axis, as those with the logits, stays in float32. */
const SHORTEST_AXIS = 8;

/**
 * Matrix products in half precision, everything between them in float32: the operands are rounded once, however many
 * products read them, and the result is widened again. What only products read is moved about and kept in half precision.
 * Mixed precision after Micikevicius et al., ICLR 2018 (arXiv 1710.03740), where sums, norms and weights stay in float32, too.
 *
 * Wide values that nothing reads any more are left in the graph.
 *
 * @param builder over a graph of stock operators
 * @param parts its nodes, in order; a narrow value of one part serves the later ones
 * @returns the parts as they are then
 */
export function mixPrecision(
  builder: GraphBuilder,
  type: HalfType,
  parts: readonly (readonly Node[])[] = [builder.graph.nodes],
): Node[][] {
  const { graph } = builder;
  const byOutput = new Map(parts.flat().flatMap((node) => node.outputs.map((output) => [output, node])));
  const narrowed = new Map<string, string>();

  const narrow = (value: string): string => {
    const known = narrowed.get(value);
    if (known !== undefined) return known;
    const node = byOutput.get(value);
    if (node !== undefined && moves.has(opName(node))) {
      const outputs = node.outputs.map((output) =>
        output === '' ? '' : builder.freshName(`${node.op}_half`),
      );
      const inputs = [narrow(node.inputs[0]!), ...node.inputs.slice(1)];
      builder.append({ ...node, name: builder.freshName(`node_${node.op}`), inputs, outputs });
      node.outputs.forEach((output, place) => {
        narrowed.set(output, outputs[place]!);
      });
    } else {
      narrowed.set(value, builder.cast(value, type));
    }
    return narrowed.get(value)!;
  };

  const multiply = ({ node, a, b, addend, transA, transB }: Product): void => {
    const [output] = node.outputs as [string];
    const operands = [narrow(a), narrow(b)];
    const attributes = { transA: transA || undefined, transB: transB || undefined };
    const half = builder.op(node.op, operands, { attributes });
    if (addend === undefined) {
      narrowed.set(output, half);
      builder.cast(half, 'float32', output);
    } else {
      builder.op('Add', [builder.cast(half, 'float32'), addend], { name: output });
    }
  };

  const mixed = parts.map((nodes) => {
    graph.nodes = [];
    for (const node of nodes) {
      const product = asProduct(node);
      if (product && spans(builder, product, SHORTEST_AXIS)) multiply(product);
      else graph.nodes.push(node);
    }
    return graph.nodes;
  });
  graph.nodes = mixed.flat();
  return mixed;
}
