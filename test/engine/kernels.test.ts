import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as reference from './kernel-reference.ts';
import { float32, int64, normal, runOp } from './run-op.ts';

/** Largest difference, relative to the largest expected magnitude. */
function assertClose(
  found: ArrayLike<number> | undefined,
  expected: ArrayLike<number>,
  tolerance: number,
  what: string,
) {
  assert.equal(found?.length, expected.length, what);
  let scale = 1e-30;
  for (let i = 0; i < expected.length; i++) {
    if (Number.isFinite(expected[i])) scale = Math.max(scale, Math.abs(expected[i]!));
  }
  for (let i = 0; i < expected.length; i++) {
    const [a, b] = [found![i]!, expected[i]!];
    if (Object.is(a, b) || a === b) continue;
    const error = Math.abs(a - b) / scale;
    assert.ok(error <= tolerance, `${what}[${i}]: ${a}, expected ${b} (error ${error.toExponential(1)})`);
  }
}

/** Float32 sums of a few hundred products. */
const TOLERANCE = 1e-6;
/** Shapes below, at and beside multiples of the vector widths, and rows over several blocks. */
const MATRICES = [
  [1, 1],
  [3, 8],
  [5, 17],
  [33, 384],
  [70, 100],
] as const;

test('LayerNormalizationGrad', async () => {
  for (const [rows, width] of MATRICES) {
    const op = { rows, width, scale: normal(width, 3), shift: new Float32Array(width), epsilon: 1e-5 };
    const [x, dY] = [normal(rows * width, 1), normal(rows * width, 2)];
    const { normalized, mean, invStdDev } = reference.layerNormalization(x, op);
    const expected = reference.layerNormalizationGrad(dY, normalized, invStdDev, op);
    const inputs = [
      float32([rows, width], dY),
      float32([rows, width], x),
      float32([width], op.scale),
      float32([rows, 1], mean),
      float32([rows, 1], invStdDev),
    ];
    const found = await runOp({ op: 'LayerNormalizationGrad', inputs, outputs: ['dX', 'dScale', 'dBias'] });
    // a row of one element has variance 0: its gradient is a difference of equal numbers
    if (width > 1) assertClose(found.dX, expected.dX, TOLERANCE, 'dX');
    assertClose(found.dScale, expected.dScale, TOLERANCE, 'dScale');
    assertClose(found.dBias, expected.dShift, TOLERANCE, 'dBias');
  }
});

test('BiasGelu and its gradient, by erf and by tanh', async () => {
  for (const approximate of ['none', 'tanh'] as const) {
    for (const [rows, width] of MATRICES.slice(0, 3)) {
      const [x, bias] = [normal(rows * width, 4, 2), normal(width, 5)];
      const expected = Array.from(x, (value, i) =>
        reference.gelu(Math.fround(value + bias[i % width]!), approximate),
      );
      const derivative = expected.map((of) => of.derivative);
      const inputs = [float32([rows, width], x), float32([width], bias)];
      const found = await runOp({
        op: 'BiasGelu',
        inputs,
        outputs: ['y', 'derivative'],
        attributes: { approximate },
      });
      assertClose(
        found.y,
        expected.map((of) => of.value),
        3e-7,
        `y, ${approximate}`,
      );
      assertClose(found.derivative, derivative, 3e-7, `derivative, ${approximate}`);

      const dY = normal(rows * width, 6);
      const dX = dY.map((value, i) => value * found.derivative![i]!);
      const grad = await runOp({
        op: 'BiasGeluGrad',
        inputs: [float32([rows, width], dY), float32([rows, width], found.derivative!)],
        outputs: ['dX', 'dBias'],
      });
      assert.deepEqual(grad.dX, dX);
      assertClose(grad.dBias, reference.columnSums(dX, width), TOLERANCE, 'dBias');
    }
  }
});

test('BiasGelu keeps its relative precision in the left tail, and its limits', async () => {
  const x = [-12, -9, -6, -4.5, -3, -2, -1, -0.5, -1e-3, -1e-20, 0, 1e-20, 0.25, 1, 3, 6, 12, 1e3, -1e3];
  for (const approximate of ['none', 'tanh'] as const) {
    const { y } = await runOp({
      op: 'BiasGelu',
      inputs: [float32([1, x.length], x), undefined],
      outputs: ['y', 'derivative'],
      attributes: { approximate },
    });
    for (const [i, value] of x.entries()) {
      const exact =
        value <= -1e3 ? 0 : value >= 1e3 ? value : reference.gelu(Math.fround(value), approximate).value;
      // eˣ of an argument near −72 has that argument's rounding error, 72 half units
      const error = Math.abs(y![i]! - exact) / Math.max(Math.abs(exact), 1e-30);
      assert.ok(
        error < (value < -5 ? 1e-5 : 1e-6),
        `${approximate} gelu(${value}) = ${y![i]}, expected ${exact}`,
      );
    }
  }
  const { y } = await runOp({ op: 'BiasGelu', inputs: [float32([1, 2], [Number.NaN, 1])], outputs: ['y'] });
  assert.ok(Number.isNaN(y![0]!) && !Number.isNaN(y![1]!));
});

test('ResidualLayerNormalization and its gradient', async () => {
  for (const [rows, width] of MATRICES.filter(([, columns]) => columns > 1)) {
    for (const ratio of [0, 0.3]) {
      for (const withBias of [true, false]) {
        const count = rows * width;
        const [x, residual, bias] = [normal(count, 1), normal(count, 2), normal(width, 3)];
        const op = { rows, width, scale: normal(width, 4), shift: normal(width, 5), epsilon: 1e-12 };
        const dropout = { key: [11, 12], site: 4, ratio } as const;
        const factors = reference.dropoutFactors(count, dropout);
        const sum = x.map(
          (value, i) => (value + (withBias ? bias[i % width]! : 0)) * factors[i]! + residual[i]!,
        );
        const expected = reference.layerNormalization(sum, op);
        const key = int64([2], dropout.key);
        const found = await runOp({
          op: 'ResidualLayerNormalization',
          inputs: [
            float32([rows, width], x),
            withBias ? float32([width], bias) : undefined,
            float32([rows, width], residual),
            float32([width], op.scale),
            float32([width], op.shift),
            key,
          ],
          outputs: ['y', 'normalized', 'invStdDev'],
          attributes: { ratio: { float: ratio }, site: 4, epsilon: { float: op.epsilon } },
        });
        assertClose(found.y, expected.y, TOLERANCE, 'y');
        assertClose(found.normalized, expected.normalized, TOLERANCE, 'normalized');
        assertClose(found.invStdDev, expected.invStdDev, TOLERANCE, 'invStdDev');

        const dY = normal(count, 6);
        const grads = reference.layerNormalizationGrad(dY, expected.normalized, expected.invStdDev, op);
        const dX = grads.dX.map((value, i) => value * factors[i]!);
        const grad = await runOp({
          op: 'ResidualLayerNormalizationGrad',
          inputs: [
            float32([rows, width], dY),
            float32([rows, width], found.normalized!),
            float32([rows], found.invStdDev!),
            float32([width], op.scale),
            key,
          ],
          outputs: ['dX', 'dBias', 'dResidual', 'dScale', 'dShift'],
          attributes: { ratio: { float: ratio }, site: 4 },
        });
        assertClose(grad.dX, dX, TOLERANCE, 'dX');
        assertClose(grad.dBias, reference.columnSums(dX, width), TOLERANCE, 'dBias');
        assertClose(grad.dResidual, grads.dX, TOLERANCE, 'dResidual');
        assertClose(grad.dScale, grads.dScale, TOLERANCE, 'dScale');
        assertClose(grad.dShift, grads.dShift, TOLERANCE, 'dShift');
      }
    }
  }
});

test('outputs nobody asks for are left out', async () => {
  const [x, one] = [float32([4, 5], normal(20, 1)), float32([5], normal(5, 2))];
  const full = { op: 'ResidualLayerNormalization', inputs: [x, one, x, one, one] };
  const all = await runOp({ ...full, outputs: ['y', 'normalized', 'invStdDev'] });
  assert.deepEqual(await runOp({ ...full, outputs: ['y'] }), { y: all.y });
  const grad = {
    op: 'ResidualLayerNormalizationGrad',
    inputs: [x, float32([4, 5], all.normalized!), float32([4], all.invStdDev!), one],
  };
  const grads = await runOp({ ...grad, outputs: ['dX', 'dBias', 'dResidual', 'dScale', 'dShift'] });
  assert.deepEqual(await runOp({ ...grad, outputs: ['', 'dBias', 'dResidual'] }), {
    dBias: grads.dBias,
    dResidual: grads.dResidual,
  });
});

test('EmbeddingGrad', async () => {
  // low tables are cut by columns, tall ones by rows
  for (const [rows, width, count] of [
    [2, 5, 9],
    [7, 40, 30],
    [5000, 3, 400],
  ] as const) {
    const indices = Array.from({ length: count }, (_, i) => (i % 3 ? (i * i * 31) % rows : rows - 1));
    const dY = normal(count * width, 7);
    const expected = new Float64Array(rows * width);
    for (const [i, row] of indices.entries()) {
      for (let j = 0; j < width; j++) expected[row * width + j]! += dY[i * width + j]!;
    }
    // negative indices count from the end, as in Gather
    const given = indices.map((row, i) => (i % 4 === 0 ? row - rows : row));
    const { dTable } = await runOp({
      op: 'EmbeddingGrad',
      inputs: [int64([count], given), float32([count, width], dY), int64([1], [rows])],
      outputs: ['dTable'],
    });
    assertClose(dTable, expected, TOLERANCE, 'dTable');
  }
});

test('GatherElementsGrad', async () => {
  // all rows of the data, and fewer of them along each axis
  const cases: [number[], number[]][] = [
    [
      [3, 40, 7],
      [3, 40, 5],
    ],
    [
      [2, 1, 3, 9],
      [3, 2, 4, 6],
    ],
    [[4], [2]],
  ];
  for (const [dims, data] of cases) {
    const rows = dims.slice(0, -1);
    const [count, width] = [dims.at(-1)!, data.at(-1)!];
    const size = dims.reduce((a, b) => a * b, 1);
    const indices = Array.from({ length: size }, (_, i) => ((i * i * 31) % width) - (i % 4 ? 0 : width));
    const dY = normal(size, 8);
    const expected = new Float64Array(data.reduce((a, b) => a * b, 1));
    for (let i = 0; i < size; i++) {
      let place = Math.floor(i / count);
      const at = rows.map(() => 0);
      for (let axis = rows.length - 1; axis >= 0; axis--) {
        at[axis] = place % rows[axis]!;
        place = Math.floor(place / rows[axis]!);
      }
      const row = at.reduce((sum, value, axis) => sum * data[axis]! + value, 0);
      expected[row * width + ((indices[i]! + width) % width)]! += dY[i]!;
    }
    const { dData } = await runOp({
      op: 'GatherElementsGrad',
      inputs: [int64(dims, indices), float32(dims, dY), int64([data.length], data)],
      outputs: ['dData'],
    });
    assertClose(dData, expected, TOLERANCE, 'dData');
  }
});

test('wrong shapes, indices and attributes are refused by name', async () => {
  const x = float32([2, 4], normal(8, 1));
  const cases: [Parameters<typeof runOp>[0], RegExp][] = [
    [
      { op: 'BiasGelu', inputs: [x, float32([3], [1, 2, 3])], outputs: ['y'] },
      /BiasGelu: bias must be of 4 elements, found \[3\]/,
    ],
    [
      { op: 'BiasGelu', inputs: [x], outputs: ['y'], attributes: { approximate: 'no' } },
      /approximate must be none or tanh/,
    ],
    [
      { op: 'BiasGeluGrad', inputs: [x, float32([2], [1, 2])], outputs: ['dX'] },
      /derivative must be of 8 elements/,
    ],
    [
      { op: 'EmbeddingGrad', inputs: [int64([2], [0, 3]), x, int64([1], [3])], outputs: ['d'] },
      /index 3 is outside a table of 3 rows/,
    ],
    [
      { op: 'EmbeddingGrad', inputs: [int64([2], [0, 1]), x, int64([1], [0])], outputs: ['d'] },
      /rows must be at least 1/,
    ],
    [
      { op: 'EmbeddingGrad', inputs: [int64([3], [0, 1, 2]), x, int64([1], [3])], outputs: ['d'] },
      /dY must be of 12 elements/,
    ],
    [
      {
        op: 'GatherElementsGrad',
        inputs: [int64([2, 4], [0, 1, 2, 0, 0, -4, 0, 0]), x, int64([2], [2, 3])],
        outputs: ['d'],
      },
      /index -4 is outside a row of 3/,
    ],
    [
      {
        op: 'GatherElementsGrad',
        inputs: [int64([2, 4], new Array(8).fill(0)), x, int64([2], [1, 3])],
        outputs: ['d'],
      },
      /indices \[2,4\] are more than the rows of \[1,3\]/,
    ],
    [
      { op: 'GatherElementsGrad', inputs: [int64([4], [0, 1, 2, 0]), x, int64([1], [3])], outputs: ['d'] },
      /dY must be \[4\], found \[2,4\]/,
    ],
    [
      { op: 'LayerNormalizationGrad', inputs: [x, x, x, x, x], outputs: ['dX'] },
      /scale must be of 4 elements, found \[2,4\]/,
    ],
  ];
  for (const [call, message] of cases) await assert.rejects(runOp(call), message);
});

test('results do not depend on the number of threads', async () => {
  const [rows, width] = [100, 48];
  const [a, b] = [
    float32([rows, width], normal(rows * width, 1)),
    float32([rows, width], normal(rows * width, 2)),
  ];
  const [scale, perRow] = [float32([width], normal(width, 3)), float32([rows], normal(rows, 4))];
  const indices = int64(
    [rows],
    Array.from({ length: rows }, (_, i) => (i * 7) % 10),
  );
  const calls: Parameters<typeof runOp>[0][] = [
    { op: 'BiasGeluGrad', inputs: [a, b], outputs: ['dX', 'dBias'] },
    {
      op: 'LayerNormalizationGrad',
      inputs: [a, b, scale, perRow, perRow],
      outputs: ['dX', 'dScale', 'dBias'],
    },
    {
      op: 'ResidualLayerNormalizationGrad',
      inputs: [a, b, perRow, scale, int64([2], [1, 2])],
      outputs: ['dX', 'dBias', 'dResidual', 'dScale', 'dShift'],
      attributes: { ratio: { float: 0.1 } },
    },
    { op: 'EmbeddingGrad', inputs: [indices, a, int64([1], [10])], outputs: ['dTable'] },
    {
      op: 'GatherElementsGrad',
      inputs: [
        int64([100, 1], [...(indices.data as BigInt64Array)]),
        float32([100, 1], normal(100, 5)),
        int64([2], [100, 10]),
      ],
      outputs: ['dData'],
    },
  ];
  for (const call of calls) {
    const expected = await runOp({ ...call, threads: 1 });
    for (const threads of [2, 4]) assert.deepEqual(await runOp({ ...call, threads }), expected, call.op);
  }
});
