import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { findTrainingLibrary } from '../engine/training-library.ts';
import { cases, common, type ParityCase } from './cases.ts';
import { compareRuns, readDevLosses, readSteps } from './compare-runs.ts';
import { findPython, runCli, runPython } from './python.ts';

/** Float32 against float64 over 40 steps: the distillation term, a small difference of logits, is what needs it. */
const relative = 2e-4;

const search = await findPython();
const training = findTrainingLibrary();

describe('training equals an independent PyTorch implementation', { skip: search.missing ?? false }, () => {
  const python = search.python ?? '';
  const folder = mkdtempSync(join(tmpdir(), 'sesd-parity-'));
  after(() => rmSync(folder, { recursive: true, force: true }));

  /** What the model is trained and measured on. */
  const data = ({ model = 'torchscript', data = 'train' }: ParityCase) => [
    ...['--train', join(folder, model, `${data}.jsonl`)],
    ...['--dev', join(folder, model, data === 'pairs' ? 'pairs.jsonl' : 'dev.jsonl')],
  ];

  before(async () => {
    // Each in one process for all: importing PyTorch takes longer than a run.
    const models = [...new Set(cases.map(({ model = 'torchscript' }) => model))];
    await runPython(python, 'test/parity/export_model.py', [folder, ...models]);
    const jobs = cases.map((each, index) => [
      ...['--model', join(folder, each.model ?? 'torchscript'), ...data(each)],
      ...['--output', join(folder, `reference-${index}`), '--dtype', 'float64'],
      ...[...common, ...each.flags, ...(each.reference ?? [])],
    ]);
    writeFileSync(join(folder, 'jobs'), jobs.map((job) => JSON.stringify(job)).join('\n'));
    await runPython(python, 'test/parity/reference.py', ['--jobs', join(folder, 'jobs')]);
  });

  /** Runs of a backend, against the reference's. */
  const compared = (backend: string, flags: readonly string[], isRun: (each: ParityCase) => boolean) =>
    cases.forEach((each, index) => {
      if (!isRun(each)) return;
      test(each.name, async (t) => {
        const expected = join(folder, `reference-${index}`);
        const actual = join(folder, `${[backend, ...flags.slice(2)].join('')}-${index}`);
        await runCli([
          ...['train', '--onnx', join(folder, each.model ?? 'torchscript'), ...data(each)],
          ...['--output', actual, '--quiet', '--save-every', 'never', '--eval-every', '40'],
          ...[...common, ...each.flags, ...(each.own ?? []), '--backend', backend, ...flags],
        ]);
        const { differences, worst } = compareRuns(readSteps(expected), readSteps(actual), {
          relative,
          floor: 1e-10,
        });
        t.diagnostic(`largest relative differences: ${JSON.stringify(worst)}`);
        assert.equal(readSteps(expected).length, 40);
        assert.deepEqual(differences, []);

        // The averages of the weights, which the steps may not show.
        const [losses, found] = [readDevLosses(expected), readDevLosses(actual)];
        assert.deepEqual(Object.keys(found).sort(), Object.keys(losses).sort());
        for (const [model, loss] of Object.entries(losses)) {
          const difference = Math.abs(found[model]! / loss - 1);
          assert.ok(difference <= relative, `${model} on dev: ${found[model]}, expected ${loss}`);
        }
      });
    });

  compared('onnx-runtime', [], () => true);
  describe("with ONNX Runtime's training API", { skip: training.missing ?? false }, () => {
    const flags = ['--runtime', training.library ?? ''];
    compared('ort-training', flags, (each) => each.training === true);
    describe('in whole steps', () => {
      compared('ort-training', [...flags, '--whole-step'], (each) => each.wholeStep === true);
    });
  });
});
