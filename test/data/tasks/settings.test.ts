import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resolveTrainOptions } from '../../../src/config/resolve.ts';
import type { TrainOptions } from '../../../src/config/train-options.ts';
import { type TaskName, tasks } from '../../../src/data/tasks/index.ts';
import { settingsFor } from '../../../src/data/tasks/settings.ts';

const long: readonly string[] = ['imdb', 'ag-news', 'dbpedia', 'yelp-polarity', 'yelp-full'];

const settingsOfTask = (task: TaskName, strategy: TrainOptions['strategy']) =>
  settingsFor(tasks[task], strategy);

for (const name of Object.keys(tasks) as TaskName[]) {
  test(`${name} is trained as in the paper`, () => {
    const options = resolveTrainOptions({ task: name, data: 'x', onnx: 'b' }, { settingsOfTask });
    const { batchSize, accumulate, lr, headLr, warmup, dropout, lambda, maxLength, epochs } = options;
    assert.equal(batchSize * accumulate, 16);
    assert.deepEqual([lr, headLr, warmup, dropout, lambda], [2e-5, 1e-3, 0.1, 0.1, 1]);
    assert.equal(maxLength, long.includes(name) ? 512 : 128);
    assert.equal(epochs, name === 'imdb' ? 6 : 3);
    assert.equal(options.window, name === 'imdb' ? 5 : 'all');
  });
}

test('the window is that of a teacher', () => {
  const windowOf = (strategy: TrainOptions['strategy']) =>
    resolveTrainOptions({ task: 'imdb', data: 'x', onnx: 'b', strategy }, { settingsOfTask }).window;
  assert.deepEqual([windowOf('sda'), windowOf('sdv'), windowOf('se')], [5, 5, 'all']);
});

test('a task is measured as GLUE measures it, others by their accuracy', () => {
  const measures = Object.fromEntries(
    (Object.keys(tasks) as TaskName[]).map((task) => {
      const options = resolveTrainOptions({ task, data: 'x', onnx: 'b' }, { settingsOfTask });
      assert.equal(options.problemType, tasks[task].labels ? 'classification' : 'regression', task);
      return [task, options.metric];
    }),
  );
  const { cola, mrpc, qqp, stsb, ...others } = measures;
  assert.deepEqual([cola, mrpc, qqp, stsb], ['mcc', 'f1', 'f1', 'pearson']);
  assert.deepEqual(new Set(Object.values(others)), new Set(['accuracy']));
});
