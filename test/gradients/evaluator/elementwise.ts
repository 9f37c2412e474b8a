import { intAttribute, type Node } from '../../../src/graph/graph.ts';
import { dataTypeOf } from '../../../src/onnx/tensor.ts';
import { type Tensor, tensor, zip } from './tensor.ts';

/** An op's outputs from its inputs; absent optional inputs are undefined. */
export type Evaluate = (node: Node, inputs: readonly (Tensor | undefined)[]) => Tensor[];

/** erf to double precision: its series near 0, the continued fraction of erfc beyond. */
export function erf(x: number): number {
  const size = Math.abs(x);
  if (size < 3) {
    let term = size;
    let sum = size;
    for (let n = 1; Math.abs(term) > 1e-17 * sum; n++) {
      term *= (-size * size) / n;
      sum += term / (2 * n + 1);
    }
    return (Math.sign(x) * 2 * sum) / Math.sqrt(Math.PI);
  }
  let fraction = 0;
  for (let n = 60; n > 0; n--) fraction = n / 2 / (size + fraction);
  return Math.sign(x) * (1 - Math.exp(-size * size) / (Math.sqrt(Math.PI) * (size + fraction)));
}

export function gelu(x: number): number {
  return 0.5 * x * (1 + erf(x / Math.SQRT2));
}

export function tanhGelu(x: number): number {
  return 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));
}

function unary(apply: (x: number) => number): Evaluate {
  return (_, [x]) => [zip(x!.dtype, [x!], apply)];
}

/** Integer tensors divide towards zero. */
function quotient(node: Node, [a, b]: readonly (Tensor | undefined)[]): Tensor[] {
  const whole = a!.dtype === 'int64' || a!.dtype === 'int32';
  if (node.op === 'Mod') return [zip(a!.dtype, [a!, b!], (x, y) => ((x % y) + y) % y)];
  return [zip(a!.dtype, [a!, b!], (x, y) => (whole ? Math.trunc(x / y) : x / y))];
}

function variadic(step: (a: number, b: number) => number): Evaluate {
  return (_, inputs) => {
    const operands = inputs.filter((input) => input !== undefined);
    return [zip(operands[0]!.dtype, operands, (first, ...rest) => rest.reduce((a, b) => step(a, b), first!))];
  };
}

function comparison(holds: (a: number, b: number) => boolean): Evaluate {
  return (_, [a, b]) => [zip('bool', [a!, b!], (x, y) => (holds(x!, y!) ? 1 : 0))];
}

const cast: Evaluate = (node, [x]) => {
  const dtype = dataTypeOf(intAttribute(node, 'to', 0))!;
  const convert =
    dtype === 'bool'
      ? (v: number) => (v !== 0 ? 1 : 0)
      : dtype.startsWith('float')
        ? (v: number) => v
        : Math.trunc;
  return [zip(dtype, [x!], convert)];
};

const clip: Evaluate = (_, [x, low, high]) => [
  zip(x!.dtype, [x!], (v) => Math.min(Math.max(v, low?.data[0] ?? -Infinity), high?.data[0] ?? Infinity)),
];

/** Stock Dropout in training mode is random; here every third element is dropped, so that a gradient can be checked. */
const dropout: Evaluate = (_, [x, ratio, training]) => {
  const mask = tensor(
    'bool',
    x!.dims,
    x!.data.map((_value, i) => (training?.data[0] && i % 3 === 0 ? 0 : 1)),
  );
  const scale = training?.data[0] ? 1 / (1 - (ratio?.data[0] ?? 0.5)) : 1;
  return [zip(x!.dtype, [x!, mask], (v, kept) => (kept ? v! * scale : 0)), mask];
};

export const elementwise: Readonly<Record<string, Evaluate>> = {
  Abs: unary(Math.abs),
  Add: variadic((a, b) => a + b),
  And: comparison((a, b) => a !== 0 && b !== 0),
  Cast: cast,
  Ceil: unary(Math.ceil),
  Clip: clip,
  Cos: unary(Math.cos),
  Div: quotient,
  Dropout: dropout,
  Equal: comparison((a, b) => a === b),
  Erf: unary(erf),
  Exp: unary(Math.exp),
  Floor: unary(Math.floor),
  Greater: comparison((a, b) => a > b),
  Identity: (_, [x]) => [x!],
  IsNaN: (_, [x]) => [zip('bool', [x!], (value) => Number(Number.isNaN(value)))],
  Less: comparison((a, b) => a < b),
  Log: unary(Math.log),
  Max: variadic(Math.max),
  Min: variadic(Math.min),
  Mod: quotient,
  Mul: variadic((a, b) => a * b),
  Neg: unary((x) => -x),
  Not: unary((x) => (x ? 0 : 1)),
  Or: comparison((a, b) => a !== 0 || b !== 0),
  Pow: (_, [a, b]) => [zip(a!.dtype, [a!, b!], (x, y) => x! ** y!)],
  Reciprocal: unary((x) => 1 / x),
  Relu: unary((x) => Math.max(x, 0)),
  Sigmoid: unary((x) => 1 / (1 + Math.exp(-x))),
  Sign: unary(Math.sign),
  Sin: unary(Math.sin),
  Sqrt: unary(Math.sqrt),
  Sub: (_, [a, b]) => [zip(a!.dtype, [a!, b!], (x, y) => x! - y!)],
  Sum: variadic((a, b) => a + b),
  Tanh: unary(Math.tanh),
  Where: (_, [c, a, b]) => [zip(a!.dtype, [c!, a!, b!], (condition, x, y) => (condition ? x! : y!))],
};
