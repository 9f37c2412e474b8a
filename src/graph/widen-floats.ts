import { floatElements } from '../onnx/tensor.ts';
import type { Attribute, DataType, Graph, Node, TensorData } from './graph.ts';

/**
 * Turns a graph of 16-bit floats into one of float32, in place: initializers, inputs, and the types nodes name
 * in attributes. Weights are trained in float32 whatever they are stored in, and bfloat16 has no kernels on
 * most devices. Everything a 16-bit graph computes it then computes with less rounding.
 *
 * @returns How many initializers were widened; 0 leaves the graph as it was.
 */
export function widenFloats(graph: Graph): number {
  let widened = 0;
  for (const [name, data] of graph.initializers) {
    if (!isHalf(data.dtype)) continue;
    graph.initializers.set(name, widenTensor(data));
    widened++;
  }
  for (const [name, type] of graph.types) {
    if (isHalf(type.dtype)) graph.types.set(name, { ...type, dtype: 'float32' });
  }
  for (const node of graph.nodes) widenAttributes(node);
  return widened;
}

const isHalf = (dtype: DataType): boolean => dtype === 'float16' || dtype === 'bfloat16';

function widenTensor(data: TensorData): TensorData {
  const values = floatElements(data);
  return {
    dtype: 'float32',
    dims: data.dims,
    bytes: new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
  };
}

/** Attributes that name an element type: Cast's, those of the random ops and of EyeLike. */
const typeAttributes = new Set(['to', 'dtype', 'stash_type', 'softmax_precision']);
const FLOAT = 1n;
const halfTypes = new Set([10n, 16n]);

function widenAttributes(node: Node): void {
  const attributes = new Map<string, Attribute>(node.attributes);
  for (const [name, attribute] of node.attributes) {
    if (attribute.kind === 'int' && typeAttributes.has(name) && halfTypes.has(attribute.value)) {
      attributes.set(name, { kind: 'int', value: FLOAT });
    } else if (attribute.kind === 'tensor' && isHalf(attribute.value.dtype)) {
      attributes.set(name, { kind: 'tensor', value: widenTensor(attribute.value) });
    }
  }
  node.attributes = attributes;
}
