import { int32, loweringTests, random } from './check.ts';

const [branches, scale, shift, bias] = [
  [random([2, 3, 8]), random([2, 3, 8], 2)],
  random([8], 3),
  random([8], 4),
  random([8], 5),
];
const epsilon = { epsilon: { float: 1e-3 } };

loweringTests('com.microsoft::SkipLayerNormalization', {
  'with bias and the sum': {
    inputs: [...branches, scale, shift, bias],
    outputs: [0, 3],
    attributes: epsilon,
  },
  'without a shift': { inputs: [...branches, scale] },
  'a skip that broadcasts': { inputs: [branches[0], random([3, 8], 2), scale, shift] },
});

loweringTests('com.microsoft::SkipSimplifiedLayerNormalization', {
  'with bias and the sum': { inputs: [...branches, scale, bias], outputs: [0, 3], attributes: epsilon },
  'without bias': { inputs: [...branches, scale] },
});

loweringTests('SimplifiedLayerNormalization', {
  'over the last axis': { inputs: [branches[0], scale], attributes: { ...epsilon, axis: -1 } },
  'with 1/σ': { inputs: [branches[0], scale], attributes: { axis: 2, stash_type: 1 }, outputs: [0, 1] },
});

loweringTests('RMSNormalization', {
  'over the last axis': { inputs: [branches[0], scale], attributes: epsilon, opset: 23 },
});

const ids = int32([2, 4], [1, 9, 3, 0, 7, 7, 0, 0]);
const segments = int32([2, 4], [0, 0, 1, 1, 0, 0, 0, 0]);
const mask = int32([2, 4], [1, 1, 1, 0, 1, 1, 0, 0]);
const [word, position, segment] = [random([10, 8], 1), random([6, 8], 2), random([2, 8], 3)];

loweringTests('com.microsoft::EmbedLayerNormalization', {
  'with segments, mask index and sum': {
    inputs: [ids, segments, word, position, segment, scale, shift, mask],
    outputs: [0, 1, 2],
    attributes: epsilon,
  },
  'without segments and mask': {
    inputs: [ids, undefined, word, position, undefined, scale, shift],
    outputs: [0, 1],
  },
  'with positions': {
    inputs: [ids, segments, word, position, segment, scale, shift, undefined, int32([1, 4], [2, 3, 4, 5])],
    outputs: [0, 1],
  },
  'with positions of each row': {
    inputs: [
      ...[ids, undefined, word, position, undefined, scale, shift, undefined],
      int32([2, 4], [2, 3, 4, 5, 5, 4, 3, 2]),
    ],
    outputs: [0, 1],
  },
});
