import { SesdError } from '../errors.ts';
import { quote } from '../onnx/tensor.ts';
import { elementSize, type Graph, opName, type ValueType } from './graph.ts';

/** The most a value may take that follows from constants alone: the runtime computes it when it loads the graph. */
const MAX_CONSTANT = 2 ** 26;
/** The most any other may take for each example and token; in a graph of fixed shape, in all. */
const MAX_VALUE = 2 ** 30;

/**
 * Refuses graphs of a few bytes that ask the runtime for gigabytes, as far as inference knows the dims.
 * @throws SesdError SESD_BAD_MODEL naming the node and its value
 */
export function checkSizes(graph: Graph): void {
  let stored = 0;
  for (const { bytes } of graph.initializers.values()) stored += bytes.byteLength;
  const fed = new Set(graph.inputs);
  for (const node of graph.nodes) {
    const isFed = node.inputs.some((input) => fed.has(input));
    const most = isFed ? MAX_VALUE : Math.max(MAX_CONSTANT, stored);
    for (const output of node.outputs) {
      const type = graph.types.get(output);
      if (isFed) fed.add(output);
      if (type === undefined || leastBytes(type) <= most) continue;
      throw new SesdError(
        'SESD_BAD_MODEL',
        `node ${quote(node.name)} (${opName(node)}) gives ${quote(output)} of dims [${type.dims}], more than ${most / 2 ** 20} MB`,
        { hint: 'No transformer needs as much at once; the file is damaged or made to fill the memory.' },
      );
    }
  }
}

/** Bytes of a value where every dim that has a name is 1. */
function leastBytes({ dtype, dims = [] }: ValueType): number {
  return dims.reduce<number>((product, dim) => product * factorOf(dim), elementSize[dtype]);
}

/** A dim is a number, or a product that may begin with one. */
function factorOf(dim: number | string): number {
  return typeof dim === 'number' ? dim : Number(/^(\d+)\*/.exec(dim)?.[1] ?? 1);
}
