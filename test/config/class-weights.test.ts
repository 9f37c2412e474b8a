import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { formatOptions, readOptionsFile, resolveTrainOptions } from '../../src/config/resolve.ts';

const folder = mkdtempSync(join(tmpdir(), 'sesd-weights-'));
after(() => rmSync(folder, { recursive: true }));
const weightsOf = (classWeights: unknown) => resolveTrainOptions({ classWeights }).classWeights;

describe('--class-weights', () => {
  test('takes "balanced", JSON, a file with JSON, and an object', () => {
    const file = join(folder, 'weights.json');
    writeFileSync(file, '{"spam": 3, "ham": 0.5}\n');
    assert.equal(weightsOf('balanced'), 'balanced');
    for (const given of ['{"spam": 3, "ham": 0.5}', file, { spam: 3, ham: 0.5 }])
      assert.deepEqual(weightsOf(given), { spam: 3, ham: 0.5 });
    assert.equal(weightsOf(undefined), undefined);
  });

  test('is kept in config.yaml as the weights themselves, and agrees with them on resuming', () => {
    const options = resolveTrainOptions({ classWeights: '{"a": 2}' });
    const config = join(folder, 'config.yaml');
    writeFileSync(config, formatOptions(options));
    assert.deepEqual(readOptionsFile(config).classWeights, { a: 2 });
    assert.deepEqual(resolveTrainOptions({ resume: folder, classWeights: '{"a": 2}' }).classWeights, {
      a: 2,
    });
    assert.throws(() => resolveTrainOptions({ resume: folder, classWeights: '{"a": 3}' }), {
      message: '--class-weights {"a":3}: the run to resume was started with {"a":2}.',
    });
  });

  test('says what is wrong', () => {
    for (const [given, message] of [
      ['none.json', /^--class-weights none\.json: no such file\.$/],
      ['{"a": }', /^--class-weights \{"a": \}: .*JSON/],
      ['{"a": 0}', /^--class-weights: expected "balanced", or weights above 0 .*, found/],
      [{ a: 'much' }, /^--class-weights: expected/],
      [[1, 2], /^--class-weights: expected/],
    ] as const)
      assert.throws(() => weightsOf(given), { code: 'SESD_USAGE', message });
  });
});

describe('a regression', () => {
  test('is measured by pearson unless asked otherwise', () => {
    assert.equal(resolveTrainOptions({ problemType: 'regression' }).metric, 'pearson');
    assert.equal(resolveTrainOptions({ problemType: 'regression', metric: 'mae' }).metric, 'mae');
    assert.equal(resolveTrainOptions({}).metric, 'accuracy');
  });

  test('has no classes to weigh or to spread a label over', () => {
    for (const [options, message] of [
      [{ classWeights: 'balanced' }, /^--class-weights: a regression has no classes/],
      [{ labelSmoothing: 0.1 }, /^--label-smoothing 0\.1: a regression/],
    ] as const)
      assert.throws(() => resolveTrainOptions({ problemType: 'regression', ...options }), {
        code: 'SESD_USAGE',
        message,
      });
  });
});
