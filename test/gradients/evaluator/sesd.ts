import { floatAttribute, intAttribute, type Node, stringAttribute } from '../../../src/graph/graph.ts';
import { type Evaluate, gelu, tanhGelu } from './elementwise.ts';
import { affine, normalize } from './reductions.ts';
import { count, type Tensor, tensor, zip } from './tensor.ts';

// The operators of native/kernels/OPS.md, written out naively.

const WORD = 2n ** 32n;

/** Factors of the dropout stream by flat element: 0, or 1/(1 − ratio). */
export function dropoutFactors(
  length: number,
  key: Tensor | undefined,
  ratio: number,
  site: number,
): Float64Array {
  const factors = new Float64Array(length).fill(1);
  if (key === undefined || ratio === 0) return factors;
  const [low, high] = [BigInt(key.data[0]!), BigInt(key.data[1]!)];
  const s = (BigInt(site) * 1640531527n + high) % WORD;
  const threshold = BigInt(Math.floor(ratio * 2 ** 32 + 0.5));
  for (let i = 0; i < length; i++) {
    let x = (BigInt(i) * 747796405n + low) % WORD;
    x = (x + x / 2n ** 15n) % WORD;
    x = (x * 1103515245n + s) % WORD;
    x = (x + x / 2n ** 13n) % WORD;
    x = (x * 1597334677n + s) % WORD;
    x = (x + x / 2n ** 16n) % WORD;
    factors[i] = x >= threshold ? 1 / (1 - ratio) : 0;
  }
  return factors;
}

function dropped(node: Node, x: Tensor, key: Tensor | undefined): Tensor {
  const factors = dropoutFactors(
    x.data.length,
    key,
    floatAttribute(node, 'ratio', 0),
    intAttribute(node, 'site', 0),
  );
  return { ...x, data: x.data.map((value, i) => value * factors[i]!) };
}

/** Sums over all axes but the last. */
function columnSums(x: Tensor): Tensor {
  const width = x.dims.at(-1)!;
  const sums = tensor(x.dtype, [width]);
  for (const [i, value] of x.data.entries()) sums.data[i % width] = sums.data[i % width]! + value;
  return sums;
}

function product(a: Tensor, b: Tensor): Tensor {
  return zip(a.dtype, [a, b], (x, y) => x! * y!);
}

/** dX of LayerNorm from x̂, 1/σ and dY⊙scale, row by row. */
function normalizationGradient(normalized: Tensor, invStdDev: Tensor, scaled: Tensor): Tensor {
  const width = normalized.dims.at(-1)!;
  const result = tensor(scaled.dtype, scaled.dims);
  for (let row = 0; row < scaled.data.length / width; row++) {
    let sum = 0;
    let along = 0;
    for (let i = row * width; i < (row + 1) * width; i++) {
      sum += scaled.data[i]! / width;
      along += (scaled.data[i]! * normalized.data[i]!) / width;
    }
    for (let i = row * width; i < (row + 1) * width; i++) {
      result.data[i] = (scaled.data[i]! - sum - normalized.data[i]! * along) * invStdDev.data[row]!;
    }
  }
  return result;
}

const layerNormalizationGrad: Evaluate = (_, [dY, x, scale, mean, invStdDev]) => {
  const normalized = zip(x!.dtype, [x!, mean!, invStdDev!], (v, m, r) => (v! - m!) * r!);
  return [
    normalizationGradient(normalized, invStdDev!, product(dY!, scale!)),
    columnSums(product(dY!, normalized)),
    columnSums(dY!),
  ];
};

const residualLayerNormalization: Evaluate = (node, [x, bias, residual, scale, shift, key]) => {
  const biased = bias ? zip(x!.dtype, [x!, bias], (a, b) => a! + b!) : x!;
  const sum = zip(x!.dtype, [dropped(node, biased, key), residual!], (a, b) => a! + b!);
  const last = new Set([sum.dims.length - 1]);
  const [normalized, , invStdDev] = normalize(sum, last, floatAttribute(node, 'epsilon', 1e-12));
  return [
    affine(normalized, scale!, shift),
    normalized,
    { ...invStdDev, dims: [count(sum.dims.slice(0, -1))] },
  ];
};

const residualLayerNormalizationGrad: Evaluate = (node, [dY, normalized, invStdDev, scale, key]) => {
  const dSum = normalizationGradient(normalized!, invStdDev!, product(dY!, scale!));
  const dX = dropped(node, dSum, key);
  return [dX, columnSums(dX), dSum, columnSums(product(dY!, normalized!)), columnSums(dY!)];
};

const biasGelu: Evaluate = (node, [x, bias]) => {
  const apply = stringAttribute(node, 'approximate', 'none') === 'tanh' ? tanhGelu : gelu;
  const biased = bias ? zip(x!.dtype, [x!, bias], (a, b) => a! + b!) : x!;
  const slope = (v: number) => (apply(v + 1e-5) - apply(v - 1e-5)) / 2e-5;
  return [zip(x!.dtype, [biased], apply), zip(x!.dtype, [biased], slope)];
};

const embeddingGrad: Evaluate = (_, [indices, dY, rows]) => {
  const width = dY!.dims.at(-1)!;
  const table = tensor(dY!.dtype, [rows!.data[0]!, width]);
  for (const [i, value] of dY!.data.entries()) {
    const to = indices!.data[Math.floor(i / width)]! * width + (i % width);
    table.data[to] = table.data[to]! + value;
  }
  return [table];
};

const gatherElementsGrad: Evaluate = (_, [indices, dY, shape]) => {
  const dims = Array.from(shape!.data);
  const gradient = tensor(dY!.dtype, dims);
  const width = dims.at(-1)!;
  for (const [i, value] of dY!.data.entries()) {
    let rest = Math.floor(i / indices!.dims.at(-1)!);
    let row = 0;
    let stride = 1;
    for (let axis = dims.length - 2; axis >= 0; axis--) {
      row += (rest % indices!.dims[axis]!) * stride;
      rest = Math.floor(rest / indices!.dims[axis]!);
      stride *= dims[axis]!;
    }
    const index = indices!.data[i]!;
    const to = row * width + (index < 0 ? index + width : index);
    gradient.data[to] = gradient.data[to]! + value;
  }
  return [gradient];
};

interface Heads {
  batch: number;
  heads: number;
  queries: number;
  keys: number;
  size: number;
  scale: number;
}

function headsOf(node: Node, q: Tensor, k: Tensor): Heads {
  const heads = intAttribute(node, 'num_heads', 1);
  const size = q.dims[2]! / heads;
  const scale = floatAttribute(node, 'scale', 1 / Math.sqrt(size));
  return { batch: q.dims[0]!, heads, queries: q.dims[1]!, keys: k.dims[1]!, size, scale };
}

/** Position in [B, S, H] of element d of head n. */
function place(at: Heads, length: number, b: number, s: number, n: number, d: number): number {
  return ((b * length + s) * at.heads + n) * at.size + d;
}

/** Softmax probabilities [B, N, Sq, Sk] and the log of their denominators. */
function probabilities(
  at: Heads,
  q: Tensor,
  k: Tensor,
  mask: Tensor | undefined,
  bias: Tensor | undefined,
): { p: Tensor; logSumExp: Tensor } {
  const dims = [at.batch, at.heads, at.queries, at.keys];
  const scores = tensor(q.dtype, dims);
  for (let i = 0; i < scores.data.length; i++) {
    const j = i % at.keys;
    const s = Math.floor(i / at.keys) % at.queries;
    const n = Math.floor(i / (at.keys * at.queries)) % at.heads;
    const b = Math.floor(i / (at.keys * at.queries * at.heads));
    for (let d = 0; d < at.size; d++) {
      scores.data[i] =
        scores.data[i]! +
        at.scale * q.data[place(at, at.queries, b, s, n, d)]! * k.data[place(at, at.keys, b, j, n, d)]!;
    }
  }
  const addends = [mask, bias].filter((addend) => addend !== undefined);
  const masked = addends.reduce((sum, addend) => zip(q.dtype, [sum, addend], (a, b) => a! + b!), scores);
  const logSumExp = tensor(q.dtype, dims.slice(0, 3));
  for (let row = 0; row < logSumExp.data.length; row++) {
    const values = masked.data.subarray(row * at.keys, (row + 1) * at.keys);
    logSumExp.data[row] = Math.log(values.reduce((sum, value) => sum + Math.exp(value), 0));
  }
  const p = {
    ...masked,
    data: masked.data.map((v, i) => Math.exp(v - logSumExp.data[Math.floor(i / at.keys)]!)),
  };
  return { p, logSumExp };
}

const attention: Evaluate = (node, [q, k, v, mask, key, , bias]) => {
  const at = headsOf(node, q!, k!);
  const { p, logSumExp } = probabilities(at, q!, k!, mask, bias);
  const kept = dropped(node, p, key);
  const context = tensor(q!.dtype, q!.dims);
  forEachPair(at, (i, b, n, s, j, d) => {
    const to = place(at, at.queries, b, s, n, d);
    context.data[to] = context.data[to]! + kept.data[i]! * v!.data[place(at, at.keys, b, j, n, d)]!;
  });
  return [context, logSumExp];
};

function forEachPair(
  at: Heads,
  visit: (i: number, b: number, n: number, s: number, j: number, d: number) => void,
): void {
  let i = 0;
  for (let b = 0; b < at.batch; b++)
    for (let n = 0; n < at.heads; n++)
      for (let s = 0; s < at.queries; s++)
        for (let j = 0; j < at.keys; j++, i++) for (let d = 0; d < at.size; d++) visit(i, b, n, s, j, d);
}

const attentionGrad: Evaluate = (node, [q, k, v, mask, key, , , dContext, , bias]) => {
  const at = headsOf(node, q!, k!);
  const { p } = probabilities(at, q!, k!, mask, bias);
  const factors = dropped(node, { ...p, data: new Float64Array(p.data.length).fill(1) }, key);
  const dP = tensor(p.dtype, p.dims);
  const [dQ, dK, dV] = [q!, k!, v!].map((x) => tensor(x.dtype, x.dims)) as [Tensor, Tensor, Tensor];
  const add = (to: Tensor, index: number, value: number) => {
    to.data[index] = to.data[index]! + value;
  };
  forEachPair(at, (i, b, n, s, j, d) => {
    const [query, kv] = [place(at, at.queries, b, s, n, d), place(at, at.keys, b, j, n, d)];
    add(dV, kv, p.data[i]! * factors.data[i]! * dContext!.data[query]!);
    add(dP, i, factors.data[i]! * dContext!.data[query]! * v!.data[kv]!);
  });
  const rows = tensor(p.dtype, p.dims.slice(0, 3));
  for (const [i, value] of dP.data.entries()) add(rows, Math.floor(i / at.keys), value * p.data[i]!);
  const dScores = {
    ...p,
    data: p.data.map((each, i) => each * (dP.data[i]! - rows.data[Math.floor(i / at.keys)]!)),
  };
  forEachPair(at, (i, b, n, s, j, d) => {
    const dScore = at.scale * dScores.data[i]!;
    const [query, kv] = [place(at, at.queries, b, s, n, d), place(at, at.keys, b, j, n, d)];
    add(dQ, query, dScore * k!.data[kv]!);
    add(dK, kv, dScore * q!.data[query]!);
  });
  return [dQ, dK, dV, dScores];
};

export const sesd: Readonly<Record<string, Evaluate>> = {
  'sesd::Attention': attention,
  'sesd::AttentionGrad': attentionGrad,
  'sesd::BiasGelu': biasGelu,
  'sesd::BiasGeluGrad': (_, [dY, derivative]) => {
    const dX = product(dY!, derivative!);
    return [dX, columnSums(dX)];
  },
  'sesd::Dropout': (node, [x, key]) => [dropped(node, x!, key)],
  'sesd::EmbeddingGrad': embeddingGrad,
  'sesd::GatherElementsGrad': gatherElementsGrad,
  'sesd::LayerNormalizationGrad': layerNormalizationGrad,
  'sesd::ResidualLayerNormalization': residualLayerNormalization,
  'sesd::ResidualLayerNormalizationGrad': residualLayerNormalizationGrad,
};
