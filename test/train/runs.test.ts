import assert from 'node:assert/strict';
import { readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { resolveTrainOptions } from '../../src/config/resolve.ts';
import type { TrainOptionsInput } from '../../src/config/train-options.ts';
import { SesdError } from '../../src/errors.ts';
import { loadTokenizer } from '../../src/tokenizer/load.ts';
import { loadClassifier } from '../../src/train/classifier.ts';
import type { TrainEvent } from '../../src/train/events.ts';
import { runSeed } from '../../src/train/random.ts';
import { train } from '../../src/train/train.ts';
import { makeWorkFolder, rows } from '../cli/sesd-train.ts';
import { type Feed, runModel } from '../onnx/run-model.ts';
import { weightsOf } from './model-weights.ts';

const labels = ['animal', 'food'];
const members = ['run-1', 'run-2', 'run-3'];

let folder: string;
before(async () => {
  folder = await makeWorkFolder();
});
after(() => rmSync(folder, { recursive: true }));

const optionsOf = (strategy: 'avg' | 'vote', output: string): TrainOptionsInput => ({
  ...{ onnx: join(folder, 'bert'), train: join(folder, 'train.jsonl'), test: join(folder, 'test.csv') },
  ...{ dev: 0.25, lr: 5e-3, headLr: 5e-3, batchSize: 5, epochs: 8, dropout: 0.1, maxLength: 16 },
  ...{ strategy, runs: 3, output: join(folder, output) },
});

const eventsOf = (run: string): TrainEvent[] =>
  readFileSync(join(run, 'metrics.jsonl'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));

/** Logits of the test file's texts, one by one, by onnxruntime-node alone. */
async function logitsOf(model: string): Promise<number[][]> {
  const tokenizer = await loadTokenizer(model);
  const all: number[][] = [];
  for (const { text } of rows) {
    const { ids } = tokenizer.encode(text, undefined, { maxLength: 16 });
    const feed = (values: number[]): Feed => ({
      ...{ type: 'int64', dims: [1, ids.length], data: BigInt64Array.from(values, BigInt) },
    });
    const { logits } = await runModel(join(model, 'model.onnx'), {
      input_ids: feed([...ids]),
      attention_mask: feed([...ids].map(() => 1)),
      token_type_ids: feed([...ids].map(() => 0)),
    });
    all.push(Array.from(logits!.data, Number));
  }
  return all;
}

const softmax = (z: number[]) => {
  const exps = z.map(Math.exp);
  const sum = exps.reduce((a, b) => a + b);
  return exps.map((e) => e / sum);
};

const lossOf = (probabilities: number[][]): number =>
  probabilities.reduce((sum, p, i) => sum - Math.log(p[labels.indexOf(rows[i]!.label)]!), 0) / rows.length;

const near = (a: number, b: number, tolerance: number, what: string) =>
  assert.ok(Math.abs(a - b) <= tolerance, `${what}: ${a} and ${b}`);

describe('avg', () => {
  test('is the mean of the weights of runs with their own seeds', async () => {
    const result = await train(optionsOf('avg', 'avg'));
    const runs = await Promise.all(
      members.map((run) => weightsOf(join(folder, 'avg', run, 'model/model.onnx'))),
    );
    const mean = await weightsOf(join(result.model, 'model.onnx'));
    assert.deepEqual([...mean.keys()].sort(), [...runs[0]!.keys()].sort());
    let spread = 0;
    for (const [name, values] of mean)
      for (const [i, value] of values.entries()) {
        const each = runs.map((weights) => weights.get(name)![i]!);
        near(value, (each[0]! + each[1]! + each[2]!) / 3, 2e-7, `${name}[${i}]`);
        spread = Math.max(spread, Math.abs(each[0]! - each[1]!), Math.abs(each[1]! - each[2]!));
      }
    assert.ok(spread > 1e-3, 'the runs differ');

    const seeds = members.map((run) =>
      resolveTrainOptions({ config: join(folder, 'avg', run, 'config.yaml') }),
    );
    assert.deepEqual(
      seeds.map(({ seed, strategy }) => [seed, strategy]),
      [1, 2, 3].map((run) => [runSeed(42, run), 'finetune']),
    );
    assert.equal(new Set(seeds.map(({ seed }) => seed)).size, 3);
    assert.equal(seeds[0]!.seed, 42);
  });

  test('begins each run with the same classifier', async () => {
    await train({ ...optionsOf('avg', 'still'), runs: 2, maxSteps: 1, lr: 0, headLr: 0 });
    const [one, two] = await Promise.all(
      ['run-1', 'run-2'].map((run) => weightsOf(join(folder, 'still', run, 'model/model.onnx'))),
    );
    assert.ok(one!.get('classifier.weight')!.some((value) => value !== 0));
    assert.deepEqual(one, two);
  });

  test('is measured as what it exports', async () => {
    const events = eventsOf(join(folder, 'avg'));
    assert.deepEqual(
      events.map(({ type }) => type),
      ['config', 'run', 'run', 'run', 'eval', 'eval', 'eval', 'done'],
    );
    const config = events[0]!;
    assert.ok(config.type === 'config');
    assert.deepEqual([config.totalSteps, config.options.strategy], [72, 'avg']);
    assert.deepEqual(config.examples, { train: 15, dev: 5, test: 20 });
    const measured = events.find((event) => event.type === 'eval' && event.split === 'test');
    assert.ok(measured?.type === 'eval' && measured.model === 'avg' && measured.final);
    const probabilities = (await logitsOf(join(folder, 'avg/model'))).map(softmax);
    near(measured.loss, lossOf(probabilities), 1e-5, 'loss');
    const summary = JSON.parse(readFileSync(join(folder, 'avg/summary.json'), 'utf8'));
    assert.equal(summary.test.loss, measured.loss);
    assert.deepEqual(
      summary.runs.map(({ steps }: { steps: number }) => steps),
      [24, 24, 24],
    );
  });
});

describe('vote', () => {
  test('is the mean of the probabilities, in the model that is exported and in what is reported', async () => {
    const result = await train(optionsOf('vote', 'vote'));
    const each = await Promise.all(members.map((run) => logitsOf(join(folder, 'vote', run, 'model'))));
    const expected = rows.map((_, i) => {
      const votes = each.map((logits) => softmax(logits[i]!));
      return labels.map((_, c) => votes.reduce((sum, p) => sum + p[c]!, 0) / 3);
    });
    const exported = await logitsOf(result.model);
    const classifier = await loadClassifier(join(folder, 'vote'));
    const classified = await classifier.classify(rows.map(({ text }) => text));
    classifier.close();
    for (const [i, p] of expected.entries())
      for (const [c, probability] of p.entries()) {
        near(Math.exp(exported[i]![c]!), probability, 1e-6, `row ${i}`);
        near(classified[i]!.probabilities[labels[c]!]!, probability, 1e-5, `classified row ${i}`);
      }
    near(result.test!.loss, lossOf(expected), 1e-5, 'loss');
    assert.equal(result.best.model, 'vote');
  });

  test('cannot be trained, and says what can', async () => {
    const options = { ...optionsOf('vote', 'again'), strategy: 'sda' as const };
    await assert.rejects(train({ ...options, onnx: join(folder, 'vote/model') }), (error) => {
      assert.ok(error instanceof SesdError);
      assert.match(error.message, /the vote of several models/);
      assert.match(error.hint!, /run-1/);
      return true;
    });
  });
});

describe('an interrupted avg', () => {
  test('goes on with the run that is not finished, and ends as if undisturbed', async () => {
    const output = join(folder, 'stopped');
    const stop = new AbortController();
    let run = 0;
    const onEvent = (event: TrainEvent) => {
      if (event.type === 'run') run = event.run;
      if (event.type === 'step' && run === 2 && event.step === 7) stop.abort();
    };
    await assert.rejects(train(optionsOf('avg', 'stopped'), { signal: stop.signal, onEvent }), (error) => {
      assert.ok(error instanceof SesdError);
      assert.equal(error.code, 'SESD_ABORTED');
      assert.match(error.message, /^Run 2 of 3: Interrupted after step 7 of 24/);
      assert.equal(error.hint, `Go on with: npx sesd-train --resume ${output}`);
      return true;
    });

    const first = statSync(join(output, 'run-1/summary.json')).mtimeMs;
    await train({ resume: output });
    assert.equal(statSync(join(output, 'run-1/summary.json')).mtimeMs, first);
    for (const part of ['run-1', 'run-2', 'run-3', '.']) {
      const model = (name: string) => readFileSync(join(folder, name, part, 'model/model.onnx'));
      assert.ok(model('stopped').equals(model('avg')), part);
    }
    const untimed = (name: string) =>
      eventsOf(join(folder, name)).map((event) =>
        JSON.stringify(event, (key, value) =>
          ['seconds', 'folder', 'output', 'resume'].includes(key) ? undefined : value,
        ),
      );
    assert.deepEqual(untimed('stopped'), untimed('avg'));
  });

  test('begins a run again that was killed before its first checkpoint', async () => {
    const output = join(folder, 'stopped');
    const before = readFileSync(join(output, 'model/model.onnx'));
    for (const left of ['checkpoints', 'summary.json', 'model'])
      rmSync(join(output, 'run-3', left), { recursive: true });
    const trained: number[] = [];
    let run = 0;
    await train(
      { resume: output },
      {
        onEvent(event) {
          if (event.type === 'run') run = event.run;
          if (event.type === 'step') trained.push(run);
        },
      },
    );
    assert.deepEqual([...new Set(trained)], [3]);
    assert.equal(trained.length, 24);
    assert.ok(readFileSync(join(output, 'model/model.onnx')).equals(before));
  });

  test('that is finished is done again from its runs, without training', async () => {
    const types: string[] = [];
    await train({ resume: join(folder, 'stopped') }, { onEvent: ({ type }) => types.push(type) });
    assert.ok(!types.includes('step'));
    assert.equal(types.at(-1), 'done');
  });
});
