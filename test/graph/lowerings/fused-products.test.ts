import { loweringTests, random } from './check.ts';

for (const activation of ['Relu', 'Sigmoid', 'Tanh']) {
  loweringTests('com.microsoft::FusedGemm', {
    [`${activation} of a Gemm`]: {
      inputs: [random([4, 3]), random([5, 4], 2), random([5], 3)],
      attributes: { activation, transA: 1, transB: 1, alpha: { float: 0.5 }, beta: { float: 2 } },
    },
    [`${activation} without an addend`]: {
      inputs: [random([3, 4]), random([4, 5], 2), undefined],
      attributes: { activation },
    },
  });
}

loweringTests('com.microsoft::FusedMatMul', {
  plain: { inputs: [random([2, 3, 4]), random([4, 5], 2)] },
  'scaled, both transposed': {
    inputs: [random([2, 4, 3]), random([2, 5, 4], 2)],
    attributes: { alpha: { float: 0.25 }, transA: 1, transB: 1 },
  },
  'a matrix transposed': {
    inputs: [random([2, 3, 4]), random([5, 4], 2)],
    attributes: { transB: 1 },
  },
  'batch axes turned': {
    inputs: [random([3, 2, 6, 4]), random([3, 2, 6, 5], 2)],
    attributes: { transA: 1, transBatchA: 1, transBatchB: 1, transB: 0 },
  },
  'batch axes turned on one side': {
    inputs: [random([3, 2, 4]), random([2, 5, 4], 2)],
    attributes: { transBatchA: 1, transB: 1 },
  },
});
