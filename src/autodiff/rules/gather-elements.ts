import { intAttribute } from '../../graph/graph.ts';
import type { GradientRule } from '../rule.ts';

/** Adds gradients up where their elements were read. ONNX Runtime's ScatterElements does so on one thread. */
export const gatherElements: GradientRule = (at) => {
  const { builder, shapes } = at;
  const [data, indices] = [at.input(0), at.input(1)];
  const axis = intAttribute(at.node, 'axis', 0);
  if (at.fused && (axis === -1 || axis === at.rank(data) - 1) && at.dtype(data) === 'float32') {
    const last = at.rank(data) - 1;
    const rows = at.dims(indices)?.slice(0, last);
    const sameRows = rows?.every((dim, i) => dim === at.dims(data)?.[i]);
    const shape = sameRows
      ? shapes.concat(shapes.part(indices, 0, last), shapes.dim(data, last))
      : shapes.of(data);
    const inputs = [builder.as(indices, 'int64'), at.outputGradient, shape];
    return [builder.op('GatherElementsGrad', inputs, { domain: 'sesd' })];
  }
  const zeros = shapes.zeros(shapes.of(data), at.dtype(data));
  const attributes = { axis, reduction: 'add' };
  return [builder.op('ScatterElements', [zeros, indices, at.outputGradient], { attributes })];
};
