import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, describe, test } from 'node:test';
import { nearestName } from '../../src/config/nearest.ts';
import { formatOptions, readOptionsFile, resolveTrainOptions } from '../../src/config/resolve.ts';
import { type TrainOptionsInput, trainFields } from '../../src/config/train-options.ts';
import { SesdError } from '../../src/errors.ts';

const folder = mkdtempSync(join(tmpdir(), 'sesd-config-'));
after(() => rmSync(folder, { recursive: true, force: true }));

function file(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

function usage(message: RegExp, hint?: RegExp) {
  return (error: unknown) => {
    assert.ok(error instanceof SesdError);
    assert.equal(error.code, 'SESD_USAGE');
    assert.match(error.message, message);
    if (hint) assert.match(error.hint ?? '', hint);
    return true;
  };
}

describe('resolving options', () => {
  test('fills in the documented defaults', () => {
    const options = resolveTrainOptions({});
    const expected = {
      strategy: 'sda',
      window: 'all',
      lambda: 1,
      poolIncludesStudent: false,
      epochs: 3,
      batchSize: 32,
      accumulate: 1,
      lr: 2e-5,
      headLr: 1e-3,
      weightDecay: 0.01,
      warmup: 0.1,
      maxGradNorm: 1,
      maxLength: 128,
      truncate: 'head',
      dropout: 0.1,
      seed: 42,
      shuffle: true,
      head: 'auto',
      evalEvery: 'epoch',
      saveEvery: 'epoch',
      metric: 'accuracy',
      device: 'auto',
      precision: 'fp32',
      fuse: true,
    };
    assert.deepEqual({ ...options, ...expected }, options);
    assert.equal(options.maxSteps, undefined);
  });

  test("the distance is the squared one where anything of the method is named; else it follows from the run's length", () => {
    const distance = (options: TrainOptionsInput) => resolveTrainOptions(options).distance;
    for (const options of [{ strategy: 'sda' }, { window: 1 }, { problemType: 'regression' }] as const)
      assert.equal(distance(options), 'mse');
    assert.equal(distance({ backend: 'ort-training', wholeStep: true }), 'mse');
    assert.equal(distance({ distance: 'cosine' }), 'cosine');
    assert.equal(distance({}), undefined);
  });

  test('--precision bf16 needs the fused kernels', () => {
    assert.throws(
      () => resolveTrainOptions({ precision: 'bf16', fuse: false }),
      /--precision bf16 and --no-fuse exclude each other/,
    );
    assert.equal(resolveTrainOptions({ precision: 'auto', fuse: false }).precision, 'auto');
    assert.equal(resolveTrainOptions({ precision: 'bf16', fuse: false, device: 'cuda' }).precision, 'bf16');
  });

  test('--precision fp16 has one backend', () => {
    assert.throws(
      () => resolveTrainOptions({ precision: 'fp16', device: 'cuda', backend: 'ort-training' }),
      /--precision fp16 and .* exclude each other/,
    );
    const { device } = resolveTrainOptions({ precision: 'bf16', device: 'cuda', backend: 'ort-training' });
    assert.equal(device, 'cuda');
  });

  test('reads numbers, words and switches from text', () => {
    const options = resolveTrainOptions({
      lr: '3e-4',
      window: '5',
      dev: '0.25',
      train: 'a.csv',
      evalEvery: '10',
      fuse: 'false',
    });
    assert.equal(options.lr, 3e-4);
    assert.equal(options.window, 5);
    assert.equal(options.dev, 0.25);
    assert.equal(options.evalEvery, 10);
    assert.equal(options.fuse, false);
    assert.equal(resolveTrainOptions({ train: 'a.csv', dev: './0.25.csv' }).dev, './0.25.csv');
  });

  test('prefers flags to the file, the file to the recommended settings, those to the defaults', () => {
    const config = file('layers.yaml', 'lr: 1e-4\nepochs: 7\n');
    const recommended = { lr: 5e-4, epochs: 9, batchSize: 16 };
    const options = resolveTrainOptions({ config, epochs: 2 }, { recommended });
    assert.deepEqual([options.epochs, options.lr, options.batchSize, options.warmup], [2, 1e-4, 16, 0.1]);
    assert.equal(resolveTrainOptions({ onnx: 'bert.onnx' }, { recommended }).batchSize, 32);
  });

  test('prefers the settings of the embedded model to those of a task', () => {
    const context = {
      recommended: { lr: 5e-4 },
      settingsOfTask: (task: string) => ({ lr: 2e-5, epochs: task === 'imdb' ? 6 : 2, batchSize: 16 }),
    };
    const config = file('task.yaml', 'batchSize: 4\ntask: imdb\n');
    const embedded = resolveTrainOptions({ config, data: 'aclImdb', warmup: 0 }, context);
    assert.deepEqual([embedded.lr, embedded.epochs, embedded.batchSize, embedded.warmup], [5e-4, 6, 4, 0]);
    const named = resolveTrainOptions({ onnx: 'b.onnx', task: 'rte', data: 'RTE', epochs: 9 }, context);
    assert.deepEqual([named.lr, named.epochs, named.batchSize], [2e-5, 9, 16]);
  });

  test('refuses files and columns beside a task', () => {
    for (const other of ['train', 'dev', 'test', 'text', 'textPair', 'label']) {
      assert.throws(
        () => resolveTrainOptions({ task: 'rte', data: 'RTE', [other]: 'x' }),
        usage(/: --task rte has its own files/),
      );
    }
    assert.equal(resolveTrainOptions({ task: 'rte', data: 'RTE', dev: '0.1' }).dev, 0.1);
  });

  for (const [name, value, message, hint] of [
    ['batchSize', 0, /^--batch-size: expected a whole number at least 1, found 0\.$/, undefined],
    ['batchSize', 1.5, /--batch-size/, undefined],
    ['epochs', '', /--epochs: expected a whole number at least 1, found ""/, undefined],
    ['lr', 'fast', /--lr: expected a number at least 0, found "fast"/, undefined],
    ['lr', Number.NaN, /--lr: .* found NaN/, undefined],
    ['dropout', 1, /--dropout: expected a number at least 0 and below 1, found 1/, undefined],
    ['window', 0, /--window: expected a whole number at least 1, or "all", found 0/, undefined],
    ['dev', 1.5, /--dev: expected a file, or a fraction between 0 and 1, found 1\.5/, undefined],
    [
      'strategy',
      'finetun',
      /--strategy: expected one of finetune, sda, sdv, se, ema, r-drop, avg, vote, found "finetun"/,
      /mean finetune\?/,
    ],
    ['maxLenght', 64, /--max-lenght is not an option/, /Did you mean --max-length\?/],
    ['task', 'snli', /--task snli needs the folder of its files/, /--data DIR/],
    ['data', 'x', /--data x was given without --task/, /--train FILE/],
    ['test', 'x.csv', /--test x\.csv was given without --train/, undefined],
  ] as const) {
    test(`refuses ${name} = ${JSON.stringify(value)}`, () => {
      assert.throws(() => resolveTrainOptions({ [name]: value }), usage(message, hint));
    });
  }

  test('names the file and key of a wrong value in YAML', () => {
    const config = file('wrong.yaml', 'epochs: many\n');
    assert.throws(
      () => resolveTrainOptions({ config }),
      usage(/wrong\.yaml: epochs: expected a whole number/),
    );
    const unknown = file('unknown.yaml', 'batch-size: 3\n');
    assert.throws(() => readOptionsFile(unknown), usage(/batch-size is not an option/, /batchSize/));
    assert.throws(() => readOptionsFile(file('list.yaml', '- 1\n')), usage(/expected a mapping/));
    assert.throws(() => readOptionsFile(file('broken.yaml', 'a: [1\n')), usage(/not valid YAML.*line/s));
    assert.throws(() => readOptionsFile(join(folder, 'none.yaml')), usage(/cannot be read/));
    assert.throws(
      () => readOptionsFile(file('alias.yaml', 'lr: *a\n')),
      usage(/not valid YAML: Unresolved alias/),
    );
    const bomb =
      'a: &a [1, 1, 1, 1, 1]\nb: &b [*a, *a, *a, *a, *a]\nc: &c [*b, *b, *b, *b, *b]\nd: [*c, *c, *c, *c]\n';
    assert.throws(
      () => readOptionsFile(file('bomb.yaml', bomb)),
      usage(/not valid YAML: Excessive alias count/),
    );
    assert.throws(
      () => readOptionsFile(file('long.yaml', '"'.repeat(10 ** 6))),
      usage(/has 1000000 characters/),
    );
    assert.throws(() => readOptionsFile(file('deep.yaml', '['.repeat(30_000))), usage(/not valid YAML/));
    assert.throws(() => readOptionsFile(file('resume.yaml', 'resume: x\n')), usage(/flag only/));
  });
});

describe('config.yaml', () => {
  test('reads back as the options that were written, with absolute paths', () => {
    const options = resolveTrainOptions({
      train: 'train.csv',
      dev: 0.1,
      strategy: 'sda',
      window: 3,
      lr: 1e-7,
      output: 'out',
      quiet: true,
    });
    const path = file('config.yaml', formatOptions(options));
    const back = resolveTrainOptions({ config: path });
    const { output: _output, ...kept } = options;
    assert.deepEqual(back, { ...kept, config: path, train: resolve('train.csv'), quiet: false });
  });

  test('is what a resumed run goes by', () => {
    const options = resolveTrainOptions({ train: 'train.csv', window: 3, lr: 1e-3, keep: 2 });
    file('config.yaml', formatOptions(options));
    const resumed = resolveTrainOptions({ resume: folder, keep: 5, lr: 1e-3, train: 'train.csv' });
    assert.deepEqual(
      [resumed.window, resumed.lr, resumed.keep, resumed.output, resumed.train],
      [3, 1e-3, 5, folder, resolve('train.csv')],
    );
    assert.throws(() => resolveTrainOptions({ resume: folder, lr: 1e-4 }), usage(/--lr 0.0001: .* 0\.001/));
    assert.throws(() => resolveTrainOptions({ resume: folder, output: 'x' }), usage(/--output x/));
    assert.throws(() => resolveTrainOptions({ resume: folder, force: true }), usage(/exclude each other/));
  });
});

describe('fields', () => {
  test('have a flag, a description, a group and, but for switches, a value name', () => {
    for (const field of trainFields) {
      assert.match(field.flag, /^--[a-z]+(-[a-z]+)*$/);
      assert.ok(field.description && !field.description.endsWith('.'), field.name);
      assert.ok(field.group, field.name);
      assert.equal(field.kind === 'boolean', field.valueName === undefined, field.name);
    }
  });
});

describe('nearest name', () => {
  test('finds misspellings and keeps quiet otherwise', () => {
    assert.equal(nearestName('stratgey', ['strategy', 'text']), 'strategy');
    assert.equal(nearestName('learning', ['lr', 'epochs']), undefined);
  });
});
