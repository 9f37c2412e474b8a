import { MAX_RANK } from '../../onnx/tensor.ts';
import type { Dim } from '../dims.ts';
import { multiplyDims } from '../dims.ts';
import { type DataType, intAttribute } from '../graph.ts';
import { type InferenceRule, type NodeInference, smallIntegers } from './node-inference.ts';

export const shape: InferenceRule = (at) => {
  const dims = at.dims(0);
  if (dims === undefined) return at.output(0, 'int64', [at.fresh(0, 0)]);
  const clamp = (position: number) =>
    Math.min(Math.max(position < 0 ? position + dims.length : position, 0), dims.length);
  const elements = dims.slice(
    clamp(intAttribute(at.node, 'start', 0)),
    clamp(intAttribute(at.node, 'end', dims.length)),
  );
  at.output(0, 'int64', [elements.length], elements);
};

export const size: InferenceRule = (at) => {
  const dims = at.dims(0);
  at.output(0, 'int64', [], dims && [multiplyDims(dims)]);
};

/** Constant in any of its spellings. */
export const constant: InferenceRule = (at) => {
  for (const [name, attribute] of at.node.attributes) {
    switch (attribute.kind) {
      case 'tensor':
        return at.output(0, attribute.value.dtype, attribute.value.dims, smallIntegers(attribute.value));
      case 'int':
        return at.output(0, 'int64', [], [Number(attribute.value)]);
      case 'ints':
        return at.output(0, 'int64', [attribute.value.length], attribute.value.map(Number));
      case 'float':
        return at.output(0, 'float32', []);
      case 'floats':
        return at.output(0, 'float32', [attribute.value.length]);
      case 'string':
        if (name === 'value_string') at.output(0, 'string', []);
        break;
      default:
    }
  }
};

export const constantOfShape: InferenceRule = (at) => {
  const target = at.elements(0);
  const length = at.dims(0)?.[0];
  const dims =
    target?.map((element) => at.symbols.asDim(element)) ??
    (typeof length === 'number' && length <= MAX_RANK ? at.freshDims(0, length) : undefined);
  const value = at.node.attributes.get('value');
  const dtype: DataType = value?.kind === 'tensor' ? value.value.dtype : 'float32';
  const element = value?.kind === 'tensor' ? smallIntegers(value.value)?.[0] : undefined;
  const count = dims?.reduce<Dim>((product, dim) => at.symbols.multiply(product, dim), 1);
  const elements =
    element !== undefined && typeof count === 'number' && count <= 64
      ? new Array<Dim>(count).fill(element)
      : undefined;
  at.output(0, dtype, dims, elements);
};

export const range: InferenceRule = (at) => {
  const [start, limit, step] = [0, 1, 2].map((input) => at.elements(input)?.[0]);
  if (start === undefined || limit === undefined || typeof step !== 'number' || step === 0) {
    return at.output(0, at.dtype(0), [at.fresh(0, 0)]);
  }
  const span = at.symbols.subtract(limit, start);
  if (typeof span === 'number' && typeof start === 'number') {
    const length = Math.max(0, Math.ceil(span / step));
    const elements = length <= 64 ? Array.from({ length }, (_, i) => start + i * step) : undefined;
    return at.output(0, at.dtype(0), [length], elements);
  }
  at.output(0, at.dtype(0), [at.symbols.asDim(stepsIn(at, span, step))]);
};

function stepsIn(at: NodeInference, span: Dim, step: number): Dim {
  if (step === 1) return span;
  return at.symbols.divide(at.symbols.add(span, step - Math.sign(step)), step);
}
