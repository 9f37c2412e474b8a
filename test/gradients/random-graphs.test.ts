import { test } from 'node:test';
import fc from 'fast-check';
import type { GraphBuilder } from '../../src/graph/builder.ts';
import { checkCase, type DimsMode, random } from './check.ts';

/** One step of a random graph: an op on values made so far, picked by position. */
type Step =
  | { kind: 'unary'; op: string; of: number }
  | { kind: 'binary'; op: string; a: number; b: number }
  | { kind: 'reduce'; op: string; of: number; axis: number; keepdims: number }
  | { kind: 'product'; a: number; b: number }
  | { kind: 'transpose'; of: number };

const pick = fc.nat(30);
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    kind: fc.constant('unary' as const),
    op: fc.constantFrom('Tanh', 'Sigmoid', 'Neg', 'Erf', 'Sin', 'Softmax'),
    of: pick,
  }),
  fc.record({
    kind: fc.constant('binary' as const),
    op: fc.constantFrom('Add', 'Sub', 'Mul'),
    a: pick,
    b: pick,
  }),
  fc.record({
    kind: fc.constant('reduce' as const),
    op: fc.constantFrom('ReduceMean', 'ReduceSum'),
    of: pick,
    axis: fc.constantFrom(-1, -2),
    keepdims: fc.constantFrom(0, 1),
  }),
  fc.record({ kind: fc.constant('product' as const), a: pick, b: pick }),
  fc.record({ kind: fc.constant('transpose' as const), of: pick }),
);

const inputs = { x: random([2, 3, 3]), y: random([3, 3], 2), z: random([3], 3), w: random([2, 1, 3], 4) };

/** Steps that do not fit the ranks at hand are left out; every size is 1, 2 or 3, and only axis 0 has 2. */
function build(g: GraphBuilder, steps: readonly Step[], ranks: Map<string, number>): string {
  const values = [...ranks.keys()];
  const at = (index: number) => values[index % values.length]!;
  const rank = (name: string) => ranks.get(name)!;
  const add = (name: string, itsRank: number) => {
    values.push(name);
    ranks.set(name, itsRank);
  };
  for (const one of steps) {
    if (one.kind === 'unary') {
      if (one.op !== 'Softmax' || rank(at(one.of)) > 0) add(g.op(one.op, [at(one.of)]), rank(at(one.of)));
    } else if (one.kind === 'binary') {
      add(g.op(one.op, [at(one.a), at(one.b)]), Math.max(rank(at(one.a)), rank(at(one.b))));
    } else if (one.kind === 'reduce') {
      if (rank(at(one.of)) < 2) continue;
      // Without its axis, a value would get its batch where others have columns.
      const keepdims = rank(at(one.of)) === 3 ? 1 : one.keepdims;
      const reduced = g.op(one.op, [at(one.of), g.ints(one.axis)], { attributes: { keepdims } });
      add(reduced, rank(at(one.of)) - (keepdims ? 0 : 1));
    } else if (one.kind === 'product') {
      // A square on the left keeps both shapes free: y is [3, 3].
      if (rank(at(one.a)) < 2) continue;
      const left = g.op('Mul', ['y', at(one.a)]);
      add(g.op('MatMul', [left, g.op('Add', ['x', at(one.b)])]), 3);
      ranks.set(left, Math.max(2, rank(at(one.a))));
    } else if (rank(at(one.of)) >= 2) {
      const perm = rank(at(one.of)) === 3 ? [0, 2, 1] : [1, 0];
      add(g.op('Transpose', [at(one.of)], { attributes: { perm } }), rank(at(one.of)));
    }
  }
  return g.op('Sum', [...values.slice(-3), 'x', 'y', 'z', 'w']);
}

test('random graphs of elementwise ops, products and reductions', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 1, maxLength: 8 }),
      fc.constantFrom<DimsMode>('static', 'named', 'anonymous'),
      async (steps, mode) => {
        const ranks = new Map(Object.entries(inputs).map(([name, { dims }]) => [name, dims.length]));
        await checkCase(
          'Sum',
          { inputs, build: (g) => build(g, steps, new Map(ranks)), tolerance: 1e-6 },
          mode,
        );
      },
    ),
    { numRuns: 60, seed: 20200 },
  );
});
