import type { GradientRule } from '../rule.ts';
import { abs } from './abs.ts';
import { relu, sigmoid, tanh } from './activations.ts';
import { add, sub, sum } from './add-sub.ts';
import { cast, identity } from './cast.ts';
import { clip } from './clip.ts';
import { concat, split } from './concat-split.ts';
import { conv } from './conv.ts';
import { div } from './div.ts';
import { counterDropout, dropout } from './dropout.ts';
import { erf } from './erf.ts';
import { expand, tile } from './expand-tile.ts';
import { exp, log, reciprocal, sqrt } from './exponential.ts';
import { gather } from './gather.ts';
import { gatherElements } from './gather-elements.ts';
import { gatherND } from './gather-nd.ts';
import { gemm } from './gemm.ts';
import { layerNormalization } from './layer-normalization.ts';
import { matMul } from './matmul.ts';
import { maxMin } from './max-min.ts';
import { mul } from './mul.ts';
import { neg } from './neg.ts';
import { pow } from './pow.ts';
import { reduceMean, reduceSum } from './reduce.ts';
import { reshape, squeeze, unsqueeze } from './reshape.ts';
import { attention, fusedBiasGelu, residualLayerNormalization } from './sesd.ts';
import { cos, sin } from './sin-cos.ts';
import { slice } from './slice.ts';
import { logSoftmax, softmax } from './softmax.ts';
import { transpose } from './transpose.ts';
import { where } from './where.ts';

/** The gradient of each op, by op name. */
export const gradientRules: Readonly<Record<string, GradientRule>> = {
  Abs: abs,
  Add: add,
  Cast: cast,
  Clip: clip,
  Concat: concat,
  Conv: conv,
  Cos: cos,
  Div: div,
  Dropout: dropout,
  Erf: erf,
  Exp: exp,
  Expand: expand,
  Flatten: reshape,
  Gather: gather,
  GatherElements: gatherElements,
  GatherND: gatherND,
  Gemm: gemm,
  Identity: identity,
  LayerNormalization: layerNormalization,
  Log: log,
  LogSoftmax: logSoftmax,
  MatMul: matMul,
  Max: maxMin,
  Min: maxMin,
  Mul: mul,
  Neg: neg,
  Pow: pow,
  Reciprocal: reciprocal,
  ReduceMean: reduceMean,
  ReduceSum: reduceSum,
  Relu: relu,
  Reshape: reshape,
  Sigmoid: sigmoid,
  Sin: sin,
  Slice: slice,
  Softmax: softmax,
  Split: split,
  Sqrt: sqrt,
  Squeeze: squeeze,
  Sub: sub,
  Sum: sum,
  Tanh: tanh,
  Tile: tile,
  Transpose: transpose,
  Unsqueeze: unsqueeze,
  Where: where,
  'sesd::Attention': attention,
  'sesd::BiasGelu': fusedBiasGelu,
  'sesd::Dropout': counterDropout,
  'sesd::ResidualLayerNormalization': residualLayerNormalization,
};

/**
 * Ops whose rule multiplies the output's gradient by something of the output's full shape, so that a
 * gradient that is still to be broadcast need not be expanded for them.
 */
export const elementwiseRules: ReadonlySet<string> = new Set([
  ...['Abs', 'Cos', 'Erf', 'Exp', 'Log', 'Pow', 'Reciprocal', 'Relu', 'Sigmoid', 'Sin', 'Sqrt', 'Tanh'],
]);

/** Ops whose outputs do not change with small changes of any input: no gradient passes them. */
export const flatOps: ReadonlySet<string> = new Set([
  ...['ArgMax', 'ArgMin', 'Ceil', 'Floor', 'Round', 'Sign'],
  ...[
    'Equal',
    'Greater',
    'GreaterOrEqual',
    'Less',
    'LessOrEqual',
    'IsInf',
    'IsNaN',
    'And',
    'Not',
    'Or',
    'Xor',
  ],
  ...['Shape', 'Size', 'NonZero', 'Constant', 'ConstantOfShape', 'EyeLike', 'OneHot', 'Range'],
]);
