import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { SesdError } from '../../src/errors.ts';
import { loadClassifier } from '../../src/train/classifier.ts';
import type { ReadModelFile } from '../../src/train/model-provider.ts';
import { TinyEngine } from './tiny-engine.ts';
import { tinyModels, writeTinyTokenizer } from './tiny-model.ts';
import { tinyFolder } from './tiny-run.ts';

const folder = writeTinyTokenizer(join(tinyFolder(), 'model'));

/** A tiny classifier of three labels. */
function models(config: object | undefined, engine = new TinyEngine()): ReadModelFile {
  return async (path) => ({
    ...(await tinyModels(folder)(path)),
    config: config as never,
    open: async () => ({
      engine,
      device: 'cpu',
      precision: { precision: 'fp32' },
      digest: async () => 'tiny',
      report: { file: path, producer: '', opset: 18, ops: {} },
      export: async () => {},
    }),
  });
}

const id2label = { 0: 'animal', 1: 'food', 2: 'plant' };

describe('a loaded classifier', () => {
  test('gives labels and probabilities in the order of the texts', async () => {
    const classifier = await loadClassifier('x', { readModel: models({ id2label }) });
    const texts = ['fur', 'leaf root salt', 'bread', ''];
    const all = await classifier.classify(texts);
    assert.deepEqual(classifier.labels, ['animal', 'food', 'plant']);
    for (const [i, text] of texts.entries()) {
      const [one] = await classifier.classify([text]);
      assert.deepEqual(all[i], one);
      const values = Object.values(one!.probabilities);
      assert.ok(Math.abs(values.reduce((sum, p) => sum + p, 0) - 1) < 1e-6);
      assert.equal(one!.score, Math.max(...values));
      assert.equal(one!.probabilities[one!.label], one!.score);
    }
    assert.notDeepEqual(all[0]!.logits, all[1]!.logits);
    assert.deepEqual(await classifier.classify([]), []);
  });

  test('serves calls made at once', async () => {
    const classifier = await loadClassifier('x', { readModel: models({ id2label }) });
    const [first, second] = await Promise.all([
      classifier.classify(['fur tail']),
      classifier.classify([{ text: 'leaf', pair: 'salt' }]),
    ]);
    assert.deepEqual(first, await classifier.classify(['fur tail']));
    assert.deepEqual(second, await classifier.classify([{ text: 'leaf', pair: 'salt' }]));
  });

  test('cuts texts as in training', async () => {
    const lengths: number[] = [];
    class Watched extends TinyEngine {
      override async infer(...[weights, batch]: Parameters<TinyEngine['infer']>) {
        lengths.push(batch.length);
        return super.infer(weights, batch);
      }
    }
    const config = { id2label, sesd_train: { maxLength: 5, truncate: 'head' } };
    const readModel = models(config, new Watched());
    const long = 'fur tail leaf root salt bread';
    await (await loadClassifier('x', { readModel })).classify([long]);
    await (await loadClassifier('x', { readModel, maxLength: 7 })).classify([long]);
    assert.deepEqual(lengths, [5, 7]);
  });

  test('measures itself on examples, whose labels it must know', async () => {
    const classifier = await loadClassifier('x', { readModel: models({ id2label }) });
    const texts = ['fur', 'leaf', 'bread', 'salt'];
    const predicted = await classifier.classify(texts);
    const right = texts.map((text, i) => ({ text, label: predicted[i]!.label, line: i + 2 }));
    assert.equal((await classifier.evaluate(right)).accuracy, 1);
    const unknown = [...right, { text: 'tail', label: 'mineral', line: 9 }];
    await assert.rejects(classifier.evaluate(unknown, { name: 'test.csv' }), /test\.csv:9: .*"mineral"/);
  });

  test('is opened for a device, auto unless said otherwise, and passes on what is to be known of it', async () => {
    const asked: string[] = [];
    const readModel: ReadModelFile = async (path) => {
      const file = await models({ id2label })(path);
      return {
        ...file,
        open: async (options) => {
          asked.push(options.device);
          return { ...(await file.open(options)), notice: 'Computing on CUDA.' };
        },
      };
    };
    const notices: string[] = [];
    await loadClassifier('x', { readModel, device: 'cuda', onNotice: (message) => notices.push(message) });
    await loadClassifier('x', { readModel });
    assert.deepEqual(asked, ['cuda', 'auto']);
    assert.deepEqual(notices, ['Computing on CUDA.']);
  });

  test('must have labels', async () => {
    await assert.rejects(loadClassifier('x', { readModel: models(undefined) }), (error) => {
      assert.ok(error instanceof SesdError && error.code === 'SESD_BAD_MODEL');
      assert.match(error.message, /names no labels/);
      return true;
    });
  });
});

describe('the package', () => {
  test('exports the same names at run time as its types promise', async () => {
    const index = await import('../../src/index.ts');
    assert.deepEqual(Object.keys(index).sort(), [
      'SesdError',
      'Trainer',
      'loadClassifier',
      'loadRegressor',
      'train',
    ]);
    const { exports } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
    assert.equal(exports['.'].default, './dist/index.js');
  });
});
