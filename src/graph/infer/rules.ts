import * as contrib from './contrib.ts';
import {
  broadcasting,
  cast,
  castLike,
  clip,
  dropout,
  integerFunctions,
  like,
  likeWithType,
  sameElements,
} from './elementwise.ts';
import * as generate from './generators.ts';
import * as indexing from './indexing.ts';
import type { InferenceRule } from './node-inference.ts';
import * as products from './products.ts';
import { argReduction, integerReductions, layerNormalization, reduction, topK } from './reductions.ts';
import * as reshaping from './reshaping.ts';
import * as sesd from './sesd.ts';

const integers = integerFunctions;

/** Ops whose output has the type and shape of their first input. */
const sameShape = [
  ...['Sqrt', 'Exp', 'Log', 'Erf', 'Tanh', 'Sigmoid', 'Relu', 'Sin', 'Cos', 'Tan', 'Asin', 'Acos', 'Atan'],
  ...['Sinh', 'Cosh', 'Asinh', 'Acosh', 'Atanh', 'Abs', 'Reciprocal', 'Floor', 'Ceil', 'Round', 'Sign'],
  ...['Softmax', 'LogSoftmax', 'Hardmax', 'Gelu', 'LeakyRelu', 'Elu', 'Selu', 'Celu', 'HardSigmoid'],
  ...['HardSwish', 'Mish', 'Softplus', 'Softsign', 'ThresholdedRelu', 'PRelu', 'CumSum', 'Trilu'],
  ...['ScatterElements', 'ScatterND', 'BitwiseNot', 'LpNormalization', 'BatchNormalization'],
  ...['InstanceNormalization', 'GroupNormalization', 'RMSNormalization', 'RotaryEmbedding', 'Attention'],
  ...[
    'com.microsoft::Gelu',
    'com.microsoft::FastGelu',
    'com.microsoft::BiasGelu',
    'com.microsoft::QuickGelu',
  ],
  ...['Swish', 'com.microsoft::RotaryEmbedding', 'sesd::Dropout'],
];

/** Float reductions that no shape goes through. */
const reductions = [
  'ReduceMean',
  'ReduceL1',
  'ReduceL2',
  'ReduceSumSquare',
  'ReduceLogSum',
  'ReduceLogSumExp',
];

/** How each op's outputs follow from its inputs, by op name. */
export const rules: Readonly<Record<string, InferenceRule>> = {
  ...Object.fromEntries(sameShape.map((op) => [op, like()])),
  ...Object.fromEntries(reductions.map((op) => [op, reduction()])),

  Identity: sameElements,
  Cast: cast,
  CastLike: castLike,
  Clip: clip,
  Dropout: dropout,
  IsNaN: likeWithType('bool'),
  IsInf: likeWithType('bool'),

  Add: broadcasting({ integers: integers.add }),
  Sub: broadcasting({ integers: integers.subtract }),
  Mul: broadcasting({ integers: integers.multiply }),
  Div: broadcasting({ integers: integers.divide }),
  Mod: broadcasting({ integers: integers.modulo }),
  Min: broadcasting({ integers: integers.min }),
  Max: broadcasting({ integers: integers.max }),
  Sum: broadcasting(),
  Mean: broadcasting(),
  Pow: broadcasting(),
  BitShift: broadcasting(),
  BitwiseAnd: broadcasting(),
  BitwiseOr: broadcasting(),
  BitwiseXor: broadcasting(),
  Neg: broadcasting({ integers: integers.negate }),
  Not: broadcasting({ dtype: 'bool', integers: integers.not }),
  And: broadcasting({ dtype: 'bool', integers: integers.and }),
  Or: broadcasting({ dtype: 'bool', integers: integers.or }),
  Xor: broadcasting({ dtype: 'bool' }),
  Equal: broadcasting({ dtype: 'bool', integers: integers.equal }),
  Less: broadcasting({ dtype: 'bool', integers: integers.less }),
  LessOrEqual: broadcasting({ dtype: 'bool', integers: integers.lessOrEqual }),
  Greater: broadcasting({ dtype: 'bool', integers: integers.greater }),
  GreaterOrEqual: broadcasting({ dtype: 'bool', integers: integers.greaterOrEqual }),
  Where: broadcasting({ typeOf: 1, integers: integers.select }),

  MatMul: products.matMul,
  MatMulInteger: products.matMulInteger,
  Gemm: products.gemm,
  Conv: products.conv,
  ConvTranspose: products.convTranspose,
  'com.microsoft::FusedMatMul': products.fusedMatMul,
  'com.microsoft::FusedGemm': products.gemm,
  'com.microsoft::MatMulNBits': contrib.matMulNBits,

  ReduceSum: reduction(integerReductions.sum),
  ReduceProd: reduction(integerReductions.product),
  ReduceMax: reduction(integerReductions.max),
  ReduceMin: reduction(integerReductions.min),
  ArgMax: argReduction,
  ArgMin: argReduction,
  TopK: topK,
  LayerNormalization: layerNormalization,

  Reshape: reshaping.reshape,
  Flatten: reshaping.flatten,
  Squeeze: reshaping.squeeze,
  Unsqueeze: reshaping.unsqueeze,
  Transpose: reshaping.transpose,
  Expand: reshaping.expand,
  Tile: reshaping.tile,
  Pad: reshaping.pad,

  Gather: indexing.gather,
  GatherElements: indexing.gatherElements,
  GatherND: indexing.gatherND,
  Slice: indexing.slice,
  Concat: indexing.concat,
  Split: indexing.split,
  OneHot: indexing.oneHot,
  NonZero: indexing.nonZero,

  Shape: generate.shape,
  Size: generate.size,
  Constant: generate.constant,
  ConstantOfShape: generate.constantOfShape,
  Range: generate.range,

  DynamicQuantizeLinear: contrib.dynamicQuantize,
  QuantizeLinear: contrib.quantize,
  DequantizeLinear: contrib.dequantize,
  'com.microsoft::SkipLayerNormalization': contrib.skipLayerNormalization,
  'com.microsoft::EmbedLayerNormalization': contrib.embedLayerNormalization,
  'com.microsoft::Attention': contrib.packedAttention,
  'com.microsoft::MultiHeadAttention': contrib.multiHeadAttention,

  'sesd::LayerNormalizationGrad': contrib.likeInputs(1, 2, 2),
  'sesd::Gemm': sesd.gemm,
  'sesd::BiasGelu': sesd.biasGelu,
  'sesd::BiasGeluGrad': sesd.biasGeluGrad,
  'sesd::Attention': sesd.attention,
  'sesd::AttentionGrad': sesd.attentionGrad,
  'sesd::EmbeddingGrad': sesd.embeddingGrad,
  'sesd::GatherElementsGrad': sesd.gatherElementsGrad,
  'sesd::ResidualLayerNormalization': sesd.residualLayerNormalization,
  'sesd::ResidualLayerNormalizationGrad': sesd.residualLayerNormalizationGrad,
};
