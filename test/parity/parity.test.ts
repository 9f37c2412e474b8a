import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { compareRuns, readSteps } from './compare-runs.ts';
import { findPython, runCli, runPython } from './python.ts';

/** Flags both sides take. 100 examples in batches of 8 leave the last batch of an epoch short. */
const common = [
  ...['--dropout', '0', '--no-shuffle', '--max-steps', '40', '--batch-size', '8', '--max-length', '40'],
  ...['--lr', '5e-4', '--head-lr', '1e-3', '--threads', '1'],
];

interface Case {
  name: string;
  model?: 'torchscript' | 'dynamo' | 'fresh';
  data?: 'train' | 'pairs';
  /** For both sides. */
  flags: string[];
  /** For the command line only. */
  own?: string[];
}

const cases: Case[] = [
  { name: 'finetune', flags: ['--strategy', 'finetune'] },
  { name: 'sda, window 1', flags: ['--strategy', 'sda', '--window', '1'] },
  { name: 'sda, window 3', flags: ['--strategy', 'sda', '--window', '3'] },
  { name: 'sda, window all', flags: ['--strategy', 'sda', '--window', 'all'] },
  {
    name: 'sda, window 3 with the student in the pool, lambda 2.5',
    flags: ['--strategy', 'sda', '--window', '3', '--pool-includes-student', '--lambda', '2.5'],
  },
  {
    name: 'three batches gathered, tight clipping',
    flags: ['--strategy', 'sda', '--window', '2', '--accumulate', '3', '--max-grad-norm', '0.3'],
  },
  { name: 'text pairs, truncated', data: 'pairs', flags: ['--strategy', 'sda', '--window', '1'] },
  { name: 'stock operators', flags: ['--strategy', 'sda', '--window', '1'], own: ['--no-fuse'] },
  { name: 'a dynamo export', model: 'dynamo', flags: ['--strategy', 'sda', '--window', 'all'] },
  {
    name: 'an untrained model, whose equal weights the exporter merged',
    model: 'fresh',
    flags: ['--strategy', 'sda', '--window', '1'],
  },
];

const search = await findPython();

describe('training equals an independent PyTorch implementation', { skip: search.missing ?? false }, () => {
  const python = search.python ?? '';
  const folder = mkdtempSync(join(tmpdir(), 'sesd-parity-'));
  after(() => rmSync(folder, { recursive: true, force: true }));

  before(async () => {
    for (const model of ['torchscript', 'dynamo', 'fresh']) {
      const args = model === 'fresh' ? ['--fresh'] : ['--exporter', model];
      await runPython(python, 'test/parity/export_model.py', [join(folder, model), ...args]);
    }
    // All in one process: importing PyTorch takes longer than a run.
    const jobs = cases.map((each, index) => [
      ...['--model', join(folder, each.model ?? 'torchscript'), '--train', trainFile(each)],
      ...['--output', join(folder, `reference-${index}`), '--dtype', 'float64', ...common, ...each.flags],
    ]);
    writeFileSync(join(folder, 'jobs'), jobs.map((job) => JSON.stringify(job)).join('\n'));
    await runPython(python, 'test/parity/reference.py', ['--jobs', join(folder, 'jobs')]);
  });

  const trainFile = ({ model = 'torchscript', data = 'train' }: Case) => join(folder, model, `${data}.jsonl`);

  cases.forEach((each, index) => {
    test(each.name, async (t) => {
      const actual = join(folder, `run-${index}`);
      await runCli([
        ...['train', '--onnx', join(folder, each.model ?? 'torchscript'), '--train', trainFile(each)],
        ...['--output', actual, '--quiet', ...common, ...each.flags, ...(each.own ?? [])],
      ]);
      const expected = join(folder, `reference-${index}`);
      const { differences, worst } = compareRuns(readSteps(expected), readSteps(actual), {
        relative: 2e-4,
        floor: 1e-10,
      });
      t.diagnostic(`largest relative differences: ${JSON.stringify(worst)}`);
      assert.equal(readSteps(expected).length, 40);
      assert.deepEqual(differences, []);
    });
  });
});
