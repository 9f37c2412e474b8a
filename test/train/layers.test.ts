import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync, rmSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { TrainOptionsInput } from '../../src/config/train-options.ts';
import { SesdError } from '../../src/errors.ts';
import type { TrainHooks } from '../../src/train/run.ts';
import { makeSoup } from '../../src/train/soup.ts';
import { train } from '../../src/train/train.ts';
import { jsonLines, makeWorkFolder, readJsonLines, sesdTrain } from '../cli/sesd-train.ts';
import { weightsOf } from './model-weights.ts';

let folder: string;
const at = (...names: string[]) => join(folder, ...names);
const modelOf = (run: string) => weightsOf(at(run, 'model/model.onnx'));
const isEmbedding = (name: string) => name.startsWith('bert.embeddings.');

/** Half-frozen and half-new: the embeddings stay, the one layer and the pooler begin anew. */
const options: TrainOptionsInput = { freeze: '^embeddings', layerLrDecay: 0.5, reinitTop: 1 };

function run(output: string, more: TrainOptionsInput = {}, hooks: TrainHooks = {}) {
  return train(
    {
      ...{
        onnx: at('bert'),
        train: at('train.jsonl'),
        dev: at('test.csv'),
        output: at(output),
        maxLength: 16,
      },
      ...{ lr: 5e-3, headLr: 5e-3, batchSize: 5, maxSteps: 8, saveEvery: 1, evalEvery: 4, threads: 1 },
      ...options,
      ...more,
    },
    hooks,
  );
}

describe('training part of a model', () => {
  before(async () => {
    folder = await makeWorkFolder();
    await run('run');
  });
  after(() => rmSync(folder, { recursive: true }));

  test('leaves what is frozen bit for bit in the exported file, and trains the rest', async () => {
    const [source, exported] = [await weightsOf(at('bert/model.onnx')), await modelOf('run')];
    let frozen = 0;
    for (const [name, values] of source) {
      if (values.length <= 1) continue; // constants of the arithmetic
      if (isEmbedding(name)) {
        frozen++;
        assert.deepEqual(exported.get(name), values, name);
      } else assert.notDeepEqual(exported.get(name), values, name);
    }
    assert.equal(frozen, 5);
  });

  test('keeps no moments and no averages of what is frozen', async () => {
    const checkpoint = at('run/checkpoints/step-8');
    const files = (await readdir(checkpoint)).filter((name) => name.endsWith('.safetensors'));
    assert.ok(files.length >= 4, files.join());
    for (const file of files) {
      const bytes = await readFile(join(checkpoint, file));
      const header = bytes.subarray(8, 8 + Number(bytes.readBigUInt64LE(0))).toString();
      assert.match(header, /bert\.encoder\.layer\.0/, file);
      assert.doesNotMatch(header, /bert\.embeddings/, file);
    }
  });

  test('says what it leaves out', async () => {
    const events = await readJsonLines(at('run/metrics.jsonl'));
    const notices = events.filter(({ type }) => type === 'notice').map(({ message }) => message);
    assert.ok(
      notices.some((each) => /^--freeze leaves 5 of 25 tensors as they are, [\d.]+ kB\.$/.test(`${each}`)),
    );
  });

  test('goes on after an interruption as if there had been none', async () => {
    const stop = new AbortController();
    const hooks: TrainHooks = {
      signal: stop.signal,
      onEvent: (event) => event.type === 'step' && event.step === 3 && stop.abort(),
    };
    await assert.rejects(run('stopped', {}, hooks), { code: 'SESD_ABORTED' });
    await train({ resume: at('stopped') });
    const digest = (name: string) =>
      createHash('sha256')
        .update(readFileSync(at(name, 'model/model.onnx')))
        .digest('hex');
    assert.equal(digest('stopped'), digest('run'));
  });

  test('cannot be another part when a run is resumed', async () => {
    for (const [change, message] of [
      [{ freeze: '^pooler' }, /--freeze \^pooler: the run to resume was started with \^embeddings/],
      [{ layerLrDecay: 0.9 }, /--layer-lr-decay 0\.9: the run to resume was started with 0\.5/],
      [{ reinitTop: 0 }, /--reinit-top 0: the run to resume was started with 1/],
    ] as const) {
      await assert.rejects(train({ resume: at('run'), ...change }), (error) => {
        assert.ok(error instanceof SesdError && error.code === 'SESD_USAGE');
        assert.match(error.message, message);
        return true;
      });
    }
  });

  test('interpolates with the weights of the file where a run began with them', async () => {
    await makeSoup([at('run')], at('wise'), { method: 'wise', alpha: 0.5, metric: 'accuracy' });
    const [wise, tuned] = [await weightsOf(at('wise/model.onnx')), await modelOf('run')];
    // The embeddings are the file's in both; layer, pooler and classifier began anew.
    assert.deepEqual(wise, tuned);
    await run('reinit-none', { freeze: '^layer', reinitTop: 0 });
    await makeSoup([at('reinit-none')], at('half'), { method: 'wise', alpha: 0.5, metric: 'accuracy' });
    const [source, after] = [await weightsOf(at('bert/model.onnx')), await modelOf('reinit-none')];
    const name = 'bert.pooler.dense.weight';
    const half = (await weightsOf(at('half/model.onnx'))).get(name)!;
    assert.notDeepEqual(after.get(name), source.get(name));
    for (const [i, value] of half.entries())
      assert.ok(Math.abs(value - (source.get(name)![i]! + after.get(name)![i]!) / 2) < 1e-7);
  });

  test('is asked for by flags or YAML, and the new classifier that stays random is told of', async () => {
    await writeFile(
      at('part.yaml'),
      'onnx: bert\ntrain: train.jsonl\nmaxSteps: 1\nfreeze: ^classifier\nlayerLrDecay: 0.9\nreinitTop: 1\n',
    );
    const call = (args: string) => sesdTrain(args.split(' '), { cwd: folder });
    const { code, stdout, stderr } = await call(
      '--config part.yaml --layer-lr-decay 0.8 --output yaml --json',
    );
    assert.equal(code, 0, stderr);
    const events = jsonLines(stdout);
    const { freeze, layerLrDecay, reinitTop } = events.find(({ type }) => type === 'config')!
      .options as Record<string, unknown>;
    assert.deepEqual(
      { freeze, layerLrDecay, reinitTop },
      { freeze: '^classifier', layerLrDecay: 0.8, reinitTop: 1 },
    );
    assert.match(stdout, /The new classifier is among them: it stays random\./);
  });

  test('is shown by inspect', async () => {
    const call = (args: string) => sesdTrain(args.split(' '), { cwd: folder });
    const { code, stdout, stderr } = await call(
      'inspect bert --freeze ^embeddings|query --layer-lr-decay 0.5 --reinit-top 1',
    );
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^Places: +embeddings: 2,\d+ in 5 tensors, frozen$/m);
    assert.match(stdout, /^ +layer\.0: 2,\d+ in 16 tensors, 14 of them trained, 14 from new weights$/m);
    assert.match(stdout, /^ +pooler: 272 in 2 tensors, trained, from new weights$/m);
    assert.match(stdout, /^ +classifier: 34 in 2 tensors, trained$/m);
    assert.match(stdout, /^Frozen: +7 tensors by --freeze$/m);
  });
});
