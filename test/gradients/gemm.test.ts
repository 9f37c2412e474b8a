import { gradientTests, random } from './check.ts';

for (const transA of [0, 1]) {
  for (const transB of [0, 1]) {
    for (const [addend, dims] of Object.entries({ bias: [4], matrix: [2, 4], column: [2, 1], scalar: [] })) {
      gradientTests('Gemm', {
        [`transA ${transA}, transB ${transB}, plus a ${addend}`]: {
          inputs: {
            a: random(transA ? [3, 2] : [2, 3]),
            b: random(transB ? [4, 3] : [3, 4], 2),
            c: random(dims, 3),
          },
          build: (g) =>
            g.op('Gemm', ['a', 'b', 'c'], {
              attributes: { transA, transB, alpha: { float: 0.5 }, beta: { float: 1.5 } },
            }),
        },
      });
    }
  }
}

gradientTests('Gemm', {
  'without addend, alpha and beta': {
    inputs: { a: random([2, 3]), b: random([3, 4], 2) },
    build: (g) => g.op('Gemm', ['a', 'b']),
  },
});
