import { SesdError } from '../../errors.ts';
import { MAX_RANK, quote } from '../../onnx/tensor.ts';
import type { Dim } from '../dims.ts';
import { type DataType, elementSize, type Graph, type Node, opName, type TensorData } from '../graph.ts';
import { scalarOf } from '../view.ts';
import { elementsOf, type InferenceState } from './infer.ts';
import type { Symbols } from './symbols.ts';

/** Tensors larger than this shape nothing: their elements are not followed. */
const MAX_ELEMENTS = 64;

export type Dims = readonly Dim[] | undefined;

/** Sets the outputs of one op from what is known of its inputs. */
export type InferenceRule = (at: NodeInference) => void;

/** One node as an inference rule sees it. */
export class NodeInference {
  readonly node: Node;
  readonly symbols: Symbols;
  readonly #graph: Graph;
  readonly #state: InferenceState;

  constructor(node: Node, graph: Graph, state: InferenceState) {
    this.node = node;
    this.symbols = state.symbols;
    this.#graph = graph;
    this.#state = state;
  }

  has(input: number): boolean {
    return Boolean(this.node.inputs[input]);
  }

  dtype(input: number): DataType | undefined {
    return this.#graph.types.get(this.node.inputs[input] ?? '')?.dtype;
  }

  dims(input: number): Dims {
    return this.#graph.types.get(this.node.inputs[input] ?? '')?.dims;
  }

  /** Elements of a small integer or bool input, in row-major order. */
  elements(input: number): readonly Dim[] | undefined {
    return elementsOf(this.node.inputs[input] ?? '', this.#graph, this.#state);
  }

  /** The number that a constant input of one element is, of whatever type. */
  scalar(input: number): number | undefined {
    const tensor = this.#graph.initializers.get(this.node.inputs[input] ?? '');
    return tensor && scalarOf(tensor);
  }

  /** The elements of an integer input when all of them are numbers. */
  numbers(input: number): number[] | undefined {
    const elements = this.elements(input);
    return elements?.every((element) => typeof element === 'number') ? [...elements] : undefined;
  }

  /** Integers an op takes as an input since some opset and as an attribute before it. */
  numbersOrAttribute(input: number, attribute: string): number[] | undefined {
    if (this.has(input)) return this.numbers(input);
    const value = this.node.attributes.get(attribute);
    return value?.kind === 'ints' ? value.value.map(Number) : undefined;
  }

  /** A dim of the output that no expression describes. */
  fresh(output: number, axis: number | string): Dim {
    return this.symbols.unknown(`${this.node.outputs[output]} axis ${axis}`);
  }

  freshDims(output: number, rank: number): Dim[] {
    return Array.from({ length: rank }, (_, axis) => this.fresh(output, axis));
  }

  /** Declares an output. Nothing is said of one whose element type is unknown. */
  output(index: number, dtype: DataType | undefined, dims: Dims, elements?: readonly Dim[]): void {
    const name = this.node.outputs[index];
    if (!name || dtype === undefined) return;
    this.#checkDims(name, dims);
    this.#graph.types.set(name, { dtype, dims });
    if (elements && elements.length <= MAX_ELEMENTS && isCountable(dtype) && elements.every(isElement)) {
      this.#state.shapes.set(name, elements);
    } else {
      this.#state.shapes.delete(name);
    }
  }

  #checkDims(name: string, dims: Dims): void {
    const sound = (dim: Dim) => typeof dim === 'string' || (Number.isSafeInteger(dim) && dim >= 0);
    if (dims === undefined || (dims.length <= MAX_RANK && dims.every(sound))) return;
    const { node } = this;
    throw new SesdError(
      'SESD_BAD_MODEL',
      `node ${quote(node.name)} (${opName(node)}) would give ${quote(name)} the impossible dims [${dims.slice(0, 8)}]`,
      { hint: 'The file is damaged or was written by a broken exporter; download or export it again.' },
    );
  }
}

/** Arithmetic on numbers of a file may leave the integers. */
function isElement(element: Dim): boolean {
  return typeof element === 'string' || Number.isInteger(element);
}

export function isCountable(dtype: DataType): boolean {
  return dtype === 'int64' || dtype === 'int32' || dtype === 'bool';
}

/** The elements of an int64, int32 or bool tensor of at most MAX_ELEMENTS. */
export function smallIntegers(tensor: TensorData): number[] | undefined {
  if (!isCountable(tensor.dtype)) return undefined;
  const count = tensor.dims.reduce((product, dim) => product * dim, 1);
  if (count > MAX_ELEMENTS) return undefined;
  const { buffer, byteOffset, byteLength } = tensor.bytes;
  const view = new DataView(buffer, byteOffset, byteLength);
  const size = elementSize[tensor.dtype];
  return Array.from({ length: count }, (_, i) => {
    if (tensor.dtype === 'int64') return Number(view.getBigInt64(i * size, true));
    if (tensor.dtype === 'int32') return view.getInt32(i * size, true);
    return view.getUint8(i * size);
  });
}

/** The number of elements when every dim is a number. */
export function countElements(dims: Dims): number | undefined {
  let count = 1;
  for (const dim of dims ?? [undefined]) {
    if (typeof dim !== 'number') return undefined;
    count *= dim;
  }
  return count;
}

/** The axis counted from the front; undefined when it lies outside. */
export function positiveAxis(axis: number, rank: number): number | undefined {
  const positive = axis < 0 ? axis + rank : axis;
  return positive >= 0 && positive < rank ? positive : undefined;
}
