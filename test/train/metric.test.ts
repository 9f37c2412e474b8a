import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { trainFields } from '../../src/config/train-options.ts';
import { LabelMap } from '../../src/data/labels.ts';
import { checkMetric, isBetter, type MetricName, metricOf } from '../../src/train/metric.ts';
import { classification, regression } from '../../src/train/problem.ts';

const names = trainFields.find(({ name }) => name === 'metric')!.choices as MetricName[];
const lower: MetricName[] = ['loss', 'ece', 'mse', 'rmse', 'mae'];

describe('a metric', () => {
  const ofLabels = classification(new LabelMap(['no', 'yes'])).measure(
    Float32Array.of(1, 0, 0.5, 2, 1, 0),
    [0, 1, 1],
  );
  const ofNumbers = regression.measure(Float32Array.of(1, 2, 4), [1, 3, 3]);

  test('of every name is measured by one problem or the other, and only one of them but the loss', () => {
    for (const name of names) {
      const found = [ofLabels, ofNumbers].filter((scores) => !Number.isNaN(metricOf(scores, name)));
      assert.equal(found.length, name === 'loss' ? 2 : 1, name);
    }
  });

  test('knows which way is better', () => {
    for (const name of names) {
      assert.equal(isBetter(name, 0.2, 0.1), !lower.includes(name), name);
      assert.equal(isBetter(name, 0.1, 0.2), lower.includes(name), name);
      assert.equal(isBetter(name, 0.1, 0.1), false);
    }
  });

  test('that is not a number is never better, and always worse', () => {
    for (const name of ['accuracy', 'loss'] as const) {
      assert.equal(isBetter(name, Number.NaN, 0.1), false);
      assert.equal(isBetter(name, Number.NaN, Number.NaN), false);
      assert.equal(isBetter(name, 0.1, Number.NaN), true);
    }
  });

  test('that does not fit the problem is refused with those that do', () => {
    const error = (message: RegExp, hint: RegExp) => (thrown: unknown) => {
      const { code, message: found, hint: way } = thrown as { code: string; message: string; hint: string };
      assert.equal(code, 'SESD_USAGE');
      assert.match(found, message);
      assert.match(way, hint);
      return true;
    };
    const three = { type: 'classification', labels: ['a', 'b', 'c'] } as const;
    assert.throws(
      () => checkMetric('f1', three),
      error(/^--metric f1: it is defined for 2 labels, found 3\.$/, /macro-f1, micro-f1/),
    );
    assert.throws(
      () => checkMetric('pearson', three),
      error(/^--metric pearson: it measures a regression, this is a classification/, /accuracy.*loss\.$/),
    );
    assert.throws(
      () => checkMetric('mcc', { type: 'regression', labels: ['LABEL_0'] }),
      error(/it measures a classification/, /^Choose one of loss, pearson, spearman, mse, rmse, mae\.$/),
    );
    checkMetric('f1', { type: 'classification', labels: ['a', 'b'] });
    checkMetric('loss', { type: 'regression', labels: ['LABEL_0'] });
  });
});
