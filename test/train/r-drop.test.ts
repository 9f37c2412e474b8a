import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { TrainOptionsInput } from '../../src/config/train-options.ts';
import { collate } from '../../src/data/batching.ts';
import type { Batch, Engine, ForwardOptions, Logits } from '../../src/engine/engine.ts';
import { SesdError } from '../../src/errors.ts';
import { consistencyObjective } from '../../src/objective/consistency.ts';
import { embeddedModel } from '../../src/train/embedded-model.ts';
import { readModelFile } from '../../src/train/open-model.ts';
import { classes, TinyEngine } from './tiny-engine.ts';
import { tinyExamples, tinyFit } from './tiny-run.ts';

/** Keeps what crosses to the host. */
class WatchedEngine extends TinyEngine {
  readonly passes: { batch: Batch; logits: Float32Array; dlogits?: Float32Array }[] = [];

  override async forward(batch: Batch, options: ForwardOptions): Promise<Logits> {
    const logits = await super.forward(batch, options);
    this.passes.push({ batch, logits: logits.data.slice() });
    return logits;
  }

  override backward(dlogits: Float32Array): Promise<void> {
    this.passes.at(-1)!.dlogits = dlogits;
    return super.backward(dlogits);
  }
}

const rDrop = { strategy: 'r-drop', dropout: 0.3, shuffle: false, epochs: 1 } as const;

/** Softmax, as the formulas read. */
function probabilities(z: readonly number[]): number[] {
  const total = z.reduce((sum, value) => sum + Math.exp(value), 0);
  return z.map((value) => Math.exp(value) / total);
}

/** Rows of a batch's tokens, without padding. */
function rowsOf({ rows, length, inputIds, attentionMask }: Batch): string[] {
  return Array.from({ length: rows }, (_, row) =>
    [...inputIds.subarray(row * length, (row + 1) * length)]
      .filter((_, i) => attentionMask[row * length + i] === 1n)
      .join(' '),
  );
}

async function watched(options: TrainOptionsInput, fixed: { rows?: number; length?: number } = {}) {
  const engine = new WatchedEngine({ dropout: 0.3, fixed });
  const train = tinyExamples(11);
  const run = await tinyFit({ engine, train, options: { ...rDrop, ...options } });
  return { ...run, train, passes: engine.passes };
}

describe('a step of r-drop', () => {
  const cases: [string, TrainOptionsInput, { rows?: number; length?: number }, number[]][] = [
    ['of one batch', { batchSize: 11 }, {}, [11]],
    ['of gathered batches, the last one short', { batchSize: 4, accumulate: 3 }, {}, [4, 4, 3]],
    ['of a model of seven rows', { batchSize: 11 }, { rows: 7, length: 6 }, [3, 3, 3, 2]],
  ];
  for (const [name, options, fixed, sizes] of cases) {
    test(`${name} sees each example twice, and averages over the examples`, async () => {
      const lambda = 1.5;
      const { steps, train, passes } = await watched({ ...options, lambda }, fixed);
      assert.equal(passes.length, sizes.length);
      const all = train.map(({ ids }) => ids.join(' '));

      let [ce, distill, from] = [0, 0, 0];
      for (const [i, size] of sizes.entries()) {
        const { batch, logits, dlogits } = passes[i]!;
        const members = all.slice(from, from + size);
        assert.deepEqual(rowsOf(batch).slice(0, 2 * size), [...members, ...members]);
        assert.equal(batch.examples, 2 * size);
        const p = Array.from({ length: 2 * size }, (_, row) =>
          probabilities([...logits.subarray(row * classes, (row + 1) * classes)]),
        );
        const expected = new Float64Array(logits.length);
        for (let example = 0; example < size; example++) {
          const { label } = train[from + example]!;
          const [p1, p2] = [p[example]!, p[size + example]!];
          ce -= (Math.log(p1[label]!) + Math.log(p2[label]!)) / 2;
          distill += p1.reduce((sum, x, c) => sum + (x - p2[c]!) * Math.log(x / p2[c]!), 0) / 2;
          // ∂/∂z₁ of KL(p₁‖p₂) is p₁·(r − Σ p₁·r) with r = log(p₁/p₂), of KL(p₂‖p₁) it is p₁ − p₂
          for (const [row, own, other] of [
            [example, p1, p2],
            [size + example, p2, p1],
          ] as const) {
            const ratio = own.map((x, c) => Math.log(x / other[c]!));
            const mean = own.reduce((sum, x, c) => sum + x * ratio[c]!, 0);
            own.forEach((x, c) => {
              const dce = (x - (c === label ? 1 : 0)) / 2;
              const ddistill = (x * (ratio[c]! - mean) + x - other[c]!) / 2;
              expected[row * classes + c] = (dce + lambda * ddistill) / train.length;
            });
          }
        }
        dlogits!.forEach((d, k) => {
          assert.ok(Math.abs(d - expected[k]!) < 1e-7, `pass ${i}, logit ${k}: ${d}, not ${expected[k]}`);
        });
        from += size;
      }
      const step = steps[0]!;
      assert.ok(distill > 0.01, 'each draw has dropout of its own');
      for (const [value, wanted] of [
        [step.ce, ce / train.length],
        [step.distill, distill / train.length],
        [step.loss, (ce + lambda * distill) / train.length],
      ] as const)
        assert.ok(Math.abs(value - wanted) < 1e-6 * wanted, `${value}, not ${wanted}`);
      const tokens = train.reduce((sum, { ids }) => sum + ids.length, 0);
      assert.deepEqual([step.examples, step.tokens], [train.length, tokens], 'each counts once');
    });
  }

  test('is plain before --teacher-start, and counts for more and more over the ramp', async () => {
    const { engine, steps } = await tinyFit({
      train: tinyExamples(8),
      options: { ...rDrop, batchSize: 4, epochs: 4, teacherStart: 3, lambdaRamp: 0.5, lambda: 2 },
    });
    assert.deepEqual(engine.log.forwardRows, [4, 4, 8, 8, 8, 8, 8, 8]);
    const weights = steps.map(({ loss, ce, distill }) => (distill === 0 ? 0 : (loss - ce) / distill));
    weights.forEach((weight, i) => {
      assert.ok(Math.abs(weight - [0, 0, 0.5, 1, 1.5, 2, 2, 2][i]!) < 1e-9, `${weights}`);
    });
  });

  test('is refused where the model has no row for the second draw', async () => {
    await assert.rejects(
      watched({ batchSize: 4 }, { rows: 1, length: 6 }),
      (error: SesdError) =>
        error instanceof SesdError &&
        error.code === 'SESD_USAGE' &&
        /r-drop needs 2 rows .* the model takes 1\./.test(error.message) &&
        /dynamic batch axis/.test(error.hint ?? ''),
    );
  });
});

test('the fused kernels have the gradient of the loss of two draws', async () => {
  const file = await readModelFile(embeddedModel.folder);
  const model = await file.open({
    ...{
      classes,
      head: 'auto',
      dropout: 0.1,
      seed: 1,
      fuse: true,
      precision: 'fp32',
      device: 'cpu',
      threads: 1,
    },
  });
  try {
    const { engine } = model;
    // Of several lengths: padding is left out, so that an example's tokens lie elsewhere in its second draw.
    const examples = [5, 2, 9].map((length, label) => ({
      ids: Int32Array.from({ length }, (_, i) => 100 + 7 * i + label),
      typeIds: new Int32Array(length),
      label,
    }));
    const rows = [...examples, ...examples];
    const batch = collate(rows, { padId: 0 });
    const objective = consistencyObjective({ lambda: 50, distance: 'symmetric-kl', temperature: 1 });
    const pass = async () => {
      const { data } = await engine.forward(batch, { dropoutKey: [3, 4] });
      return objective({ logits: data, labels: rows.map(({ label }) => label), rows: rows.length, classes });
    };
    const { parts, dlogits } = await pass();
    assert.ok(parts.distill! > 1e-6, 'the draws differ');
    await engine.backward(Float32Array.from(dlogits));
    const start = await allOf(engine, 'student');
    const { gradNorm } = await engine.update({
      ...{ step: 1, learningRate: 0, headLearningRate: 0, weightDecay: 0, maxGradNorm: Infinity },
    });
    // After one update the first moment is a tenth of the gradient.
    const gradient = (await allOf(engine, 'm')).map((m) => m.map((value) => 10 * value));
    const along = async (distance: number) => {
      const names = engine.parameters.map(({ name }) => name);
      await engine.student.write(
        (async function* () {
          for (const [p, name] of names.entries())
            yield {
              name,
              data: start[p]!.map((value, i) => value + (distance * gradient[p]![i]!) / gradNorm),
            };
        })(),
      );
      return (await pass()).loss;
    };
    const step = 0.003;
    const slope = ((await along(step)) - (await along(-step))) / (2 * step);
    assert.ok(Math.abs(slope / gradNorm - 1) < 1e-3, `slope ${slope}, norm of the gradient ${gradNorm}`);
  } finally {
    model.engine.close();
  }
});

async function allOf(engine: Engine, which: 'student' | 'm'): Promise<Float32Array[]> {
  const arrays: Float32Array[] = [];
  for await (const { data } of which === 'm' ? engine.readMoments('m') : engine.student.read())
    arrays.push(data.slice());
  return arrays;
}
