import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Engine, NamedArray, UpdateOptions } from '../../src/engine/engine.ts';
import { makeWorkFolder, sesdTrain } from '../cli/sesd-train.ts';

/** Rates with which the session updates the weights itself. */
export const ratesOfSession = {
  ...{ learningRate: 1e-3, headLearningRate: 1e-3, weightDecay: 0 },
  maxGradNorm: Number.POSITIVE_INFINITY,
} satisfies Partial<UpdateOptions>;

/** Closes the engines when the test ends. */
export function closing<E extends readonly Engine[]>(t: { after(end: () => void): void }, engines: E): E {
  t.after(() => {
    for (const engine of engines) engine.close();
  });
  return engines;
}

export async function collect(values: AsyncIterable<NamedArray>): Promise<Record<string, Float32Array>> {
  const all: Record<string, Float32Array> = {};
  for await (const { name, data } of values) all[name] = data;
  return all;
}

/** The flags of a run with the session's own optimizer. */
export const flagsOfSession = [
  ...['--lr', '1e-3', '--head-lr', '1e-3', '--weight-decay', '0', '--max-grad-norm', 'none'],
];

/** @param cases flags of a run, and what it says of its optimizer */
export function testResumption(
  library: string,
  cases: Record<string, { flags: string[]; says: RegExp }>,
): void {
  describe('a run that is interrupted and resumed equals the uninterrupted one', () => {
    let folder: string;
    before(async () => {
      folder = await makeWorkFolder();
    });
    after(() => rm(folder, { recursive: true, force: true }));

    const options = [
      ...[
        '--onnx',
        'bert',
        '--train',
        'train.jsonl',
        '--dev',
        '0.2',
        '--max-steps',
        '8',
        '--batch-size',
        '4',
      ],
      ...['--eval-every', '4', '--save-every', '2', '--backend', 'ort-training', '--runtime', library],
    ];
    const weights = (output: string) => readFileSync(join(folder, output, 'model', 'model.onnx'));
    for (const [name, { flags, says }] of Object.entries(cases)) {
      test(name, async () => {
        const [whole, parts] = ['whole', 'parts'].map((each) => `${each} ${name}`) as [string, string];
        const done = await sesdTrain([...options, ...flags, '--output', whole], { cwd: folder });
        assert.equal(done.code, 0, done.stderr);
        assert.match(done.stderr, says);
        const stopped = await sesdTrain([...options, ...flags, '--output', parts, '--json'], {
          cwd: folder,
          watch: (text, kill) => {
            if (text.includes('"type":"step","step":5,')) kill('SIGINT');
          },
        });
        assert.equal(stopped.code, 130, stopped.stderr);
        assert.ok(readdirSync(join(folder, parts, 'checkpoints')).length > 0);
        const resumed = await sesdTrain(['--resume', parts], { cwd: folder });
        assert.equal(resumed.code, 0, resumed.stderr);
        assert.ok(weights(parts).equals(weights(whole)));
      });
    }
  });
}
