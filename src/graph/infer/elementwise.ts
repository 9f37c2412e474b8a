import { dataTypeOf } from '../../onnx/tensor.ts';
import type { Dim } from '../dims.ts';
import { type DataType, intAttribute } from '../graph.ts';
import {
  countElements,
  type Dims,
  type InferenceRule,
  isCountable,
  type NodeInference,
} from './node-inference.ts';
import type { Symbols } from './symbols.ts';

export type IntegerFunction = (symbols: Symbols, ...operands: Dim[]) => Dim;

/** Numpy broadcasting, aligned at the last axis. */
export function broadcastDims(shapes: readonly Dims[], symbols: Symbols): Dims {
  let result: Dim[] = [];
  for (const dims of shapes) {
    if (dims === undefined) return undefined;
    const rank = Math.max(result.length, dims.length);
    const from = result;
    result = Array.from({ length: rank }, (_, axis) =>
      symbols.broadcast(from[axis - rank + from.length] ?? 1, dims[axis - rank + dims.length] ?? 1),
    );
  }
  return result;
}

/** Output 0 has the type and shape of one input. */
export function like(input = 0): InferenceRule {
  return (at) => at.output(0, at.dtype(input), at.dims(input));
}

/** Output 0 has the shape of input 0 and this element type. */
export function likeWithType(dtype: DataType): InferenceRule {
  return (at) => at.output(0, dtype, at.dims(0));
}

/** Identity, and ops that are it on integers. */
export const sameElements: InferenceRule = (at) => at.output(0, at.dtype(0), at.dims(0), at.elements(0));

export const cast: InferenceRule = (at) => {
  const dtype = dataTypeOf(intAttribute(at.node, 'to', 0));
  at.output(0, dtype, at.dims(0), castElements(at, dtype));
};

export const castLike: InferenceRule = (at) => {
  at.output(0, at.dtype(1), at.dims(0), castElements(at, at.dtype(1)));
};

function castElements(at: NodeInference, dtype: DataType | undefined): readonly Dim[] | undefined {
  if (dtype !== 'bool') return at.elements(0) ?? truncated(at.scalar(0));
  return at.numbers(0)?.map((element) => (element !== 0 ? 1 : 0));
}

/** Where a Range begins, and its step, may be floats cast to the type of its end. */
function truncated(float: number | undefined): readonly Dim[] | undefined {
  return float === undefined ? undefined : [Math.trunc(float)];
}

/** A broadcasting op; `integers` follows the elements of small integer tensors through it. */
export function broadcasting(
  options: { dtype?: DataType; typeOf?: number; integers?: IntegerFunction } = {},
): InferenceRule {
  return (at) => {
    const operands = at.node.inputs.map((_, index) => index);
    const dims = broadcastDims(
      operands.map((index) => at.dims(index)),
      at.symbols,
    );
    const dtype = options.dtype ?? at.dtype(options.typeOf ?? 0);
    at.output(0, dtype, dims, options.integers && mapElements(at, operands, dims, options.integers));
  };
}

function mapElements(
  at: NodeInference,
  operands: readonly number[],
  dims: Dims,
  apply: IntegerFunction,
): readonly Dim[] | undefined {
  const count = countElements(dims);
  if (count === undefined) return undefined;
  const rows: (readonly Dim[])[] = [];
  for (const operand of operands) {
    const elements = at.elements(operand);
    if (elements === undefined) return undefined;
    // Beyond one element against many, broadcasting would have to follow strides: no shape is computed that way.
    if (elements.length !== count && elements.length !== 1) return undefined;
    rows.push(elements);
  }
  return Array.from({ length: count }, (_, i) =>
    apply(at.symbols, ...rows.map((row) => (row.length === 1 ? row[0]! : row[i]!))),
  );
}

function fold(step: (symbols: Symbols, a: Dim, b: Dim) => Dim): IntegerFunction {
  return (symbols, first, ...rest) => rest.reduce((a, b) => step(symbols, a, b), first!);
}

function not(symbols: Symbols, value: Dim): Dim {
  return typeof value === 'number' ? 1 - value : symbols.signed(`not ${value}`);
}

function and(symbols: Symbols, a: Dim, b: Dim): Dim {
  if (a === 0 || b === 0) return 0;
  return a === 1 ? b : b === 1 ? a : symbols.signed(`and ${a} ${b}`);
}

function or(symbols: Symbols, a: Dim, b: Dim): Dim {
  if (a === 1 || b === 1) return 1;
  return a === 0 ? b : b === 0 ? a : symbols.signed(`or ${a} ${b}`);
}

/** What broadcasting integer ops do to the elements of shapes. */
export const integerFunctions = {
  add: fold((s, a, b) => s.add(a, b)),
  subtract: fold((s, a, b) => s.subtract(a, b)),
  multiply: fold((s, a, b) => s.multiply(a, b)),
  divide: fold((s, a, b) => s.divide(a, b)),
  modulo: fold((s, a, b) => s.modulo(a, b)),
  min: fold((s, a, b) => s.min(a, b)),
  max: fold((s, a, b) => s.max(a, b)),
  negate: (s, a) => s.subtract(0, a!),
  equal: (s, a, b) => s.equal(a!, b!),
  less: (s, a, b) => s.less(a!, b!),
  greater: (s, a, b) => s.less(b!, a!),
  lessOrEqual: (s, a, b) => not(s, s.less(b!, a!)),
  greaterOrEqual: (s, a, b) => not(s, s.less(a!, b!)),
  not: (s, a) => not(s, a!),
  and: fold(and),
  or: fold(or),
  select: (s, condition, a, b) => s.select(condition!, a!, b!),
} satisfies Record<string, IntegerFunction>;

/** Dropout of ai.onnx: (data, ratio, training mode) → (output, mask). */
export const dropout: InferenceRule = (at) => {
  at.output(0, at.dtype(0), at.dims(0));
  at.output(1, 'bool', at.dims(0));
};

/** Clip keeps shapes; on integers it is Min after Max. */
export const clip: InferenceRule = (at) => {
  const dtype = at.dtype(0);
  let elements = dtype && isCountable(dtype) ? at.elements(0) : undefined;
  for (const [input, bound] of [
    [1, 'max'],
    [2, 'min'],
  ] as const) {
    if (!elements || !at.has(input)) continue;
    const limit = at.elements(input)?.[0];
    elements = limit === undefined ? undefined : elements.map((element) => at.symbols[bound](element, limit));
  }
  at.output(0, dtype, at.dims(0), elements);
};
