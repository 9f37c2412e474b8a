import { intAttribute } from '../graph.ts';
import type { InferenceRule } from './node-inference.ts';

// Shapes of the operators specified in native/kernels/OPS.md.

/** (x, bias) → (y, derivative). */
export const biasGelu: InferenceRule = (at) => {
  at.output(0, at.dtype(0), at.dims(0));
  at.output(1, at.dtype(0), at.dims(0));
};

/** (dY, derivative) → (dX, dBias). */
export const biasGeluGrad: InferenceRule = (at) => {
  const dims = at.dims(0);
  at.output(0, at.dtype(0), dims);
  at.output(1, at.dtype(0), [dims?.at(-1) ?? at.fresh(1, 0)]);
};

/** (q, k, v, mask, key, firsts, bias) → (context, logSumExp). */
export const attention: InferenceRule = (at) => {
  const query = at.dims(0);
  at.output(0, at.dtype(0), query);
  at.output(
    1,
    at.dtype(0),
    query?.length === 3 ? [query[0]!, intAttribute(at.node, 'num_heads', 1), query[1]!] : undefined,
  );
};

/** (q, k, v, mask, key, context, logSumExp, dContext, firsts, bias) → (dQ, dK, dV, dBias). */
export const attentionGrad: InferenceRule = (at) => {
  for (const index of [0, 1, 2]) at.output(index, at.dtype(index), at.dims(index));
  const [q, k, firsts, bias] = [0, 1, 8, 9].map((index) => at.dims(index));
  const packed = firsts !== undefined;
  const rows = packed ? firsts[0] : q?.[0];
  const keys = packed ? bias?.at(-1) : k?.[1];
  // in rows of their own if there are as many as sequences
  const queries = packed && q?.[0] !== rows ? keys : q?.[1];
  const dims = [rows, intAttribute(at.node, 'num_heads', 1), queries, keys];
  at.output(
    3,
    at.dtype(0),
    dims.map((dim, axis) => dim ?? at.fresh(3, axis)),
  );
};

/** (A, B) → y; axes of A before its last are rows. */
export const gemm: InferenceRule = (at) => {
  const [a, b] = [at.dims(0), at.dims(1)];
  const flag = (name: string) => intAttribute(at.node, name, 0) !== 0;
  const rows = flag('transA') ? a?.slice(1) : a?.slice(0, -1);
  const columns = flag('transB') ? b?.[0] : b?.[1];
  at.output(0, at.dtype(0), rows && [...rows, columns ?? at.fresh(0, rows.length)]);
};

/** (indices, dY, rows) → dTable. */
export const embeddingGrad: InferenceRule = (at) => {
  const hidden = at.dims(1)?.at(-1);
  at.output(0, at.dtype(1), [at.elements(2)?.[0] ?? at.fresh(0, 0), hidden ?? at.fresh(0, 1)]);
};

/** (indices, dY, shape) → dData. */
export const gatherElementsGrad: InferenceRule = (at) => {
  at.output(0, at.dtype(1), at.elements(2) ?? at.dims(1)?.map((_, axis) => at.fresh(0, axis)));
};

/** (x, bias, residual, scale, shift, key) → (y, normalized, invStdDev). */
export const residualLayerNormalization: InferenceRule = (at) => {
  const dims = at.dims(0);
  at.output(0, at.dtype(0), dims);
  at.output(1, at.dtype(0), dims);
  const rows = dims
    ?.slice(0, -1)
    .reduce((product, dim) => at.symbols.multiply(product, dim), 1 as number | string);
  at.output(2, at.dtype(0), [rows ?? at.fresh(2, 0)]);
};

/** (dY, normalized, invStdDev, scale, key) → (dX, dBias, dResidual, dScale, dShift). */
export const residualLayerNormalizationGrad: InferenceRule = (at) => {
  const dtype = at.dtype(0);
  const [x, scale] = [at.dims(0), at.dims(3)];
  at.output(0, dtype, x);
  at.output(1, dtype, scale);
  at.output(2, dtype, x);
  at.output(3, dtype, scale);
  at.output(4, dtype, scale);
};
