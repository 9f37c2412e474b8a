import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { cases, common, type ParityCase } from './cases.ts';
import { compareRuns, readDevLosses, readSteps } from './compare-runs.ts';
import { findPython, runCli, runPython } from './python.ts';

/** Float32 against float64 over 40 steps: the distillation term, a small difference of logits, is what needs it. */
const relative = 2e-4;

const search = await findPython();

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
      ...['--output', join(folder, `reference-${index}`), '--dtype', 'float64', ...common, ...each.flags],
    ]);
    writeFileSync(join(folder, 'jobs'), jobs.map((job) => JSON.stringify(job)).join('\n'));
    await runPython(python, 'test/parity/reference.py', ['--jobs', join(folder, 'jobs')]);
  });

  cases.forEach((each, index) => {
    test(each.name, async (t) => {
      const expected = join(folder, `reference-${index}`);
      const actual = join(folder, `run-${index}`);
      await runCli([
        ...['train', '--onnx', join(folder, each.model ?? 'torchscript'), ...data(each)],
        ...['--output', actual, '--quiet', '--save-every', 'never', '--eval-every', '40'],
        ...[...common, ...each.flags, ...(each.own ?? [])],
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
});
