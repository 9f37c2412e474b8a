import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { resolveTrainOptions } from '../../src/config/resolve.ts';
import type { TrainOptionsInput } from '../../src/config/train-options.ts';
import { SesdError, type SesdErrorCode } from '../../src/errors.ts';
import type { TrainEvent } from '../../src/train/events.ts';
import { lockFolder } from '../../src/train/folder-lock.ts';
import { Trainer, train } from '../../src/train/train.ts';
import type { TinyEngine } from './tiny-engine.ts';
import { tinyCsv, tinyModels, writeTinyTokenizer } from './tiny-model.ts';
import { tinyFolder } from './tiny-run.ts';

function fails(code: SesdErrorCode, message: RegExp, hint?: RegExp) {
  return (error: unknown) => {
    assert.ok(error instanceof SesdError, String((error as Error).stack));
    assert.equal(error.code, code);
    assert.match(error.message, message);
    if (hint) assert.match(error.hint ?? '', hint);
    return true;
  };
}

/** A folder with a model, data and the options of a short run on them. */
function newRun(prepare?: (engine: TinyEngine) => void) {
  const folder = tinyFolder();
  const file = (name: string, content: string) => {
    writeFileSync(join(folder, name), content);
    return join(folder, name);
  };
  const options: TrainOptionsInput = {
    onnx: 'tiny.onnx',
    train: file('train.csv', tinyCsv(20)),
    dev: file('dev.csv', tinyCsv(9, 1)),
    test: file('test.csv', tinyCsv(7, 2)),
    strategy: 'sda',
    batchSize: 4,
    epochs: 3,
    lr: 0.02,
    headLr: 0.05,
    output: join(folder, 'run'),
  };
  const model = writeTinyTokenizer(join(folder, 'model'));
  return {
    folder,
    file,
    options,
    hooks: { readModel: tinyModels(model, prepare) },
    run: join(folder, 'run'),
  };
}

const lines = (run: string): TrainEvent[] =>
  readFileSync(join(run, 'metrics.jsonl'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
/** Without what differs from run to run: times and folders. */
const untimed = (events: readonly object[]): Record<string, unknown>[] =>
  events.map((event) => {
    const { ms: _ms, seconds: _seconds, path: _path, ...rest } = event as Record<string, unknown>;
    return rest;
  });

describe('train', () => {
  test('leaves a folder with the configuration, the events, the summary, a checkpoint and the model', async () => {
    const { options, hooks, run } = newRun();
    const heard: TrainEvent[] = [];
    const result = await train(options, { ...hooks, onEvent: (event) => heard.push(event) });
    assert.deepEqual(readdirSync(run).sort(), [
      'checkpoints',
      'config.yaml',
      'metrics.jsonl',
      'model',
      'summary.json',
    ]);
    const logged = lines(run);
    assert.deepEqual(logged, JSON.parse(JSON.stringify(heard)));
    const [config] = logged;
    assert.ok(config?.type === 'config');
    assert.deepEqual(config.labels, ['animal', 'food', 'plant']);
    assert.deepEqual(config.examples, { train: 20, dev: 9, test: 7 });
    assert.deepEqual([config.totalSteps, config.stepsPerEpoch, config.parameters], [15, 5, 59]);
    assert.equal(logged.filter(({ type }) => type === 'step').length, 15);
    assert.equal(logged.at(-1)?.type, 'done');

    const summary = JSON.parse(readFileSync(join(run, 'summary.json'), 'utf8'));
    assert.equal(summary.test.accuracy, result.test?.accuracy);
    assert.ok(result.train!.accuracy! > 0.6, 'the task is learnable');
    assert.ok(existsSync(join(result.model, 'tokenizer.json')));
    const again = resolveTrainOptions({ config: join(run, 'config.yaml') });
    assert.deepEqual([again.epochs, again.lr, again.train], [3, 0.02, options.train]);
  });

  test('a short run whose method is left to the package compares logits by kl, writes it down and says so', async () => {
    const { options, hooks, run } = newRun();
    const { strategy: _, ...unnamed } = options;
    await train(unnamed, hooks);
    const [config] = lines(run);
    assert.ok(config?.type === 'config' && config.options.distance === 'kl');
    assert.equal(resolveTrainOptions({ config: join(run, 'config.yaml') }).distance, 'kl');
    assert.ok(lines(run).some((event) => event.type === 'notice' && /--distance kl/.test(event.message)));
    const losses = (events: TrainEvent[]) =>
      events.flatMap((event) => (event.type === 'step' ? [event.loss] : []));
    const found = losses(lines(run));
    await train({ ...options, distance: 'kl', force: true }, hooks);
    assert.deepEqual(losses(lines(run)), found);
  });

  test('refuses a folder that holds a run, and changes nothing in it; --force replaces the run', async () => {
    const { options, hooks, run } = newRun();
    await train(options, hooks);
    writeFileSync(join(run, 'notes.txt'), 'mine');
    const before = readFileSync(join(run, 'metrics.jsonl'), 'utf8');
    await assert.rejects(
      train({ ...options, seed: 3 }, hooks),
      fails('SESD_OUTPUT', /already holds a run/, /--resume .*--force/),
    );
    assert.equal(readFileSync(join(run, 'metrics.jsonl'), 'utf8'), before);

    await train({ ...options, seed: 3, epochs: 1, force: true }, hooks);
    assert.equal(lines(run).filter(({ type }) => type === 'step').length, 5);
    assert.deepEqual(readdirSync(join(run, 'checkpoints')), ['step-5']);
    assert.equal(readFileSync(join(run, 'notes.txt'), 'utf8'), 'mine');
  });

  test('with --force keeps the old run until the new one is sure to start', async () => {
    const { options, hooks, run, file } = newRun();
    await train(options, hooks);
    const bad = file('bad.csv', 'text,label\nfur,animal\n');
    await assert.rejects(
      train({ ...options, train: bad, force: true }, hooks),
      fails('SESD_BAD_DATA', /bad\.csv/),
    );
    assert.ok(existsSync(join(run, 'summary.json')));
  });

  test('says what is wrong with an output folder', async () => {
    const { options, hooks, file } = newRun();
    const output = join(file('plain-file', ''), 'run');
    await assert.rejects(
      train({ ...options, output }, hooks),
      fails('SESD_OUTPUT', /plain-file.*cannot be written/),
    );
  });

  test('goes on after an interruption as if there had been none, in weights and in metrics.jsonl', async () => {
    const whole = newRun();
    await train(whole.options, whole.hooks);

    const controller = new AbortController();
    const { options, hooks, run } = newRun((engine) => {
      engine.onForward = (updates) => {
        if (updates === 8) controller.abort();
      };
    });
    await assert.rejects(
      train(options, { ...hooks, signal: controller.signal }),
      fails('SESD_ABORTED', /after step 8 of 15/, /npx sesd-train --resume /),
    );
    assert.equal(existsSync(join(run, 'model')), false);
    // What a process that was killed later would have left behind.
    const killed = '{"type":"step","step":9}\n{"type":"step","st';
    writeFileSync(join(run, 'metrics.jsonl'), killed, { flag: 'a' });
    await train({ resume: run }, { readModel: workplaceModels(whole) });

    const weights = (folder: string) => readFileSync(join(folder, 'model/weights.json'), 'utf8');
    assert.equal(weights(run), weights(whole.run));
    const ours = (folder: string) =>
      untimed(lines(folder)).filter(
        ({ type, step }) => type !== 'config' && type !== 'resume' && !(type === 'checkpoint' && step === 8),
      );
    assert.deepEqual(ours(run), ours(whole.run));
  });

  test('starts from the beginning where it was killed before its first checkpoint', async () => {
    const { options, hooks, run } = newRun();
    await train(options, hooks);
    const whole = lines(run);
    for (const name of ['checkpoints', 'model', 'summary.json']) rmSync(join(run, name), { recursive: true });
    await train({ resume: run }, hooks);
    const again = lines(run);
    const told = (events: TrainEvent[]) =>
      untimed(events.filter(({ type }) => type !== 'notice' && type !== 'resume'));
    assert.deepEqual(told(again), told(whole));
    assert.ok(again.some((event) => event.type === 'notice' && /no checkpoint yet/.test(event.message)));
  });

  test('lets no second process into its folder', async () => {
    const { options, hooks, run } = newRun();
    await train(options, hooks);
    const before = lines(run);
    const unlock = await lockFolder(run);
    for (const second of [{ resume: run }, { ...options, force: true }]) {
      await assert.rejects(
        train(second, hooks),
        fails('SESD_OUTPUT', /Another process is training in .*run/, /Wait for it to end or stop it/),
      );
    }
    unlock();
    assert.deepEqual(lines(run), before);
    await train({ resume: run }, hooks);
  });

  test('gives runs that start in the same second folders of their own', async () => {
    const { options, hooks, folder } = newRun();
    const before = process.cwd();
    process.chdir(folder);
    try {
      const runs = Array.from({ length: 3 }, () => train({ ...options, output: undefined }, hooks));
      const folders = (await Promise.all(runs)).map((result) => result.folder);
      assert.equal(new Set(folders).size, 3, folders.join());
      for (const each of folders) assert.equal(lines(each).at(-1)?.type, 'done');
      const wrong = { ...options, output: undefined, train: 'none.csv' };
      await assert.rejects(train(wrong, hooks), fails('SESD_BAD_DATA', /none\.csv/));
      assert.equal(readdirSync('runs').length, 3, 'a run that cannot start leaves no folder');
    } finally {
      process.chdir(before);
    }
  });

  test('resumes by the options of the run, not by others', async () => {
    const { options, hooks, run } = newRun();
    await train(options, hooks);
    await assert.rejects(train({ resume: run, lr: 1 }, hooks), fails('SESD_USAGE', /--lr 1: the run/));
    const nowhere = join(run, 'none');
    await assert.rejects(
      train({ resume: nowhere }, hooks),
      fails('SESD_USAGE', /there is no run in this folder/),
    );
  });

  test('names the file and line of a label that is not in the training file', async () => {
    const { options, hooks, file } = newRun();
    const dev = file('dev.csv', 'text,label\nfur,animal\nleaf,mineral\n');
    await assert.rejects(
      train({ ...options, dev }, hooks),
      fails('SESD_BAD_DATA', /dev\.csv:3: .*"mineral"/),
    );
  });

  test('refuses a metric and class weights that do not fit the labels before anything is written', async () => {
    const { options, hooks, run } = newRun();
    await assert.rejects(
      train({ ...options, metric: 'f1' }, hooks),
      fails('SESD_USAGE', /--metric f1: .*2 labels, found 3/, /accuracy/),
    );
    await assert.rejects(
      train({ ...options, classWeights: { animl: 2 } }, hooks),
      fails('SESD_USAGE', /--class-weights: .*"animl"/, /"animal", "food", "plant"/),
    );
    assert.equal(existsSync(run), false);
  });

  test('weighs the labels and smooths them as asked, in the loss of the first step', async () => {
    const { options, hooks } = newRun();
    const firstLoss = async (given: TrainOptionsInput) => {
      const events: TrainEvent[] = [];
      const all = { ...options, ...given, batchSize: 20, maxSteps: 1, force: true, shuffle: false };
      await train(all, { ...hooks, onEvent: (event) => events.push(event) });
      return events.find((event) => event.type === 'step')!;
    };
    const plain = await firstLoss({});
    assert.equal(plain.loss, plain.ce + plain.distill);
    const tripled = await firstLoss({ classWeights: { animal: 3, food: 3, plant: 3 } });
    assert.ok(Math.abs(tripled.ce - 3 * plain.ce) < 1e-12);
    // Twice the weight of one label adds its part: those of all labels make up the whole.
    let parts = 0;
    for (const label of ['animal', 'food', 'plant'])
      parts += (await firstLoss({ classWeights: { [label]: 2 } })).ce - plain.ce;
    assert.ok(Math.abs(parts - plain.ce) < 1e-12);
    assert.notEqual((await firstLoss({ classWeights: 'balanced' })).ce, plain.ce);
    assert.notEqual((await firstLoss({ labelSmoothing: 0.1 })).ce, plain.ce);
  });

  test('refuses single texts beside pairs', async () => {
    const { options, hooks, file } = newRun();
    const dev = file('dev.csv', 'text,text2,label\nfur,tail,animal\n');
    await assert.rejects(
      train({ ...options, dev, label: 'label' }, hooks),
      fails('SESD_BAD_DATA', /dev\.csv holds pairs, but .*train\.csv holds single texts/),
    );
  });

  test('sets a fraction of the training file aside', async () => {
    const { options, hooks } = newRun();
    const result = await train({ ...options, dev: 0.25, test: undefined }, hooks);
    assert.deepEqual([result.train?.examples, result.dev?.examples, result.test], [15, 5, undefined]);
  });
});

function workplaceModels({ folder }: { folder: string }) {
  return tinyModels(join(folder, 'model'));
}

describe('Trainer', () => {
  test('yields its events, then the result', async () => {
    const { options, hooks } = newRun();
    const trainer = new Trainer(options, hooks);
    const types = new Set<string>();
    for await (const event of trainer) types.add(event.type);
    assert.deepEqual([...types].sort(), ['best', 'checkpoint', 'config', 'done', 'eval', 'notice', 'step']);
    assert.equal((await trainer.run()).steps, 15);
  });

  test('stops when its loop is left, with a checkpoint', async () => {
    const { options, hooks, run } = newRun();
    const trainer = new Trainer(options, hooks);
    for await (const event of trainer) if (event.type === 'step' && event.step === 2) break;
    await assert.rejects(trainer.run(), fails('SESD_ABORTED', /Interrupted after step \d+ of 15/));
    assert.equal(readdirSync(join(run, 'checkpoints')).length, 1);
  });

  test('rejects its loop when the run fails', async () => {
    const { options, hooks } = newRun();
    await assert.rejects(
      async () => {
        for await (const _ of new Trainer({ ...options, train: 'none.csv' }, hooks));
      },
      fails('SESD_BAD_DATA', /none\.csv/),
    );
  });
});
