import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LabelMap } from '../../src/data/labels.ts';

const labelled = (...labels: (string | undefined)[]) =>
  labels.map((label, index) => ({ text: 't', line: index + 2, ...(label === undefined ? {} : { label }) }));
const fromExamples = (...labels: string[]) => LabelMap.fromExamples(labelled(...labels), 'train.csv').names;
const fromConfig = (names: Record<string, string>, ...labels: string[]) =>
  LabelMap.fromConfig(names, labelled(...labels), 'train.csv');

test('integers are in numeric order, other labels in code-point order', () => {
  assert.deepEqual(fromExamples('10', '9', '-1', '9', '100'), ['-1', '9', '10', '100']);
  assert.deepEqual(fromExamples('10', '9', 'x'), ['10', '9', 'x']);
  assert.deepEqual(fromExamples('b', 'B', 'a', '\u{1f600}', '\uff5e'), [
    'B',
    'a',
    'b',
    '\uff5e',
    '\u{1f600}',
  ]);
  assert.deepEqual(fromExamples('1', '01', '0'), ['0', '01', '1']);
  assert.deepEqual(fromExamples('90071992547409931', '90071992547409930'), [
    '90071992547409930',
    '90071992547409931',
  ]);
});

test('the classes a file names keep their order, those without an example too', () => {
  const named = (...classNames: string[]) =>
    LabelMap.fromExamples(labelled('no', 'yes'), 'train.parquet', classNames).names;
  assert.deepEqual(named('yes', 'unsure', 'no'), ['yes', 'unsure', 'no']);
  assert.deepEqual(named('yes'), ['no', 'yes']); // not all: another column's, or none
  assert.deepEqual(named('yes', 'no', 'yes'), ['no', 'yes']);
});

test('indices, and both maps of config.json', () => {
  const labels = LabelMap.fromExamples(labelled('no', 'yes', 'maybe'), 'train.csv');
  assert.deepEqual([...labels.encode(labelled('yes', undefined, 'maybe'), 'dev.csv')], [2, -1, 0]);
  assert.deepEqual(labels.id2label, { 0: 'maybe', 1: 'no', 2: 'yes' });
  assert.deepEqual(labels.label2id, { maybe: 0, no: 1, yes: 2 });
});

test('a label that training did not have', () => {
  const labels = LabelMap.fromExamples(labelled('no', 'yes'), 'train.csv');
  assert.throws(() => labels.encode(labelled('no', 'perhaps'), '--dev dev.csv'), {
    code: 'SESD_BAD_DATA',
    message: '--dev dev.csv:3: the label "perhaps" is not one of the model\'s classes',
    hint: /"no", "yes"/,
  });
});

test('one label only, or none', () => {
  assert.throws(() => fromExamples('x', 'x'), {
    code: 'SESD_BAD_DATA',
    message: /every row has the label "x"/,
  });
  assert.throws(() => LabelMap.fromExamples(labelled('x', undefined), 'train.csv'), {
    message: 'train.csv:3: the label is missing',
  });
  assert.throws(() => new LabelMap(['a', 'a']), { code: 'SESD_BAD_DATA' });
});

test("a model's own classes, when the file uses them", () => {
  const sentiment = { 0: 'NEGATIVE', 1: 'POSITIVE', 2: 'NEUTRAL' };
  assert.deepEqual(fromConfig(sentiment, 'POSITIVE', 'NEUTRAL')?.names, ['NEGATIVE', 'POSITIVE', 'NEUTRAL']);
  const byId = fromConfig(sentiment, '2', '0');
  assert.deepEqual(byId?.names, ['NEGATIVE', 'POSITIVE', 'NEUTRAL']);
  assert.deepEqual([...byId.encode(labelled('0', '2', 'POSITIVE'), 'dev.csv')], [0, 2, 1]);
  assert.throws(() => byId.encode(labelled('3'), 'dev.csv'), { code: 'SESD_BAD_DATA' });
  assert.equal(fromConfig(sentiment, 'POSITIVE', 'MIXED'), undefined);
  assert.equal(fromConfig(sentiment, '1', '3'), undefined);
  assert.equal(LabelMap.fromConfig(undefined, labelled('0', '1'), 'train.csv'), undefined);
});

test('names that say nothing give way to ids', () => {
  assert.deepEqual(fromConfig({ 0: 'LABEL_0', 1: 'LABEL_1', 2: 'LABEL_2' }, '0', '2')?.names, [
    '0',
    '1',
    '2',
  ]);
  assert.deepEqual(fromConfig({ 0: 'LABEL_0', 1: 'LABEL_1' }, 'LABEL_1', 'LABEL_0')?.names, [
    'LABEL_0',
    'LABEL_1',
  ]);
  assert.equal(fromConfig({ 0: 'LABEL_0', 1: 'LABEL_1' }, 'neg', 'pos'), undefined);
});

test('an id2label with gaps or equal names is left alone', () => {
  assert.equal(fromConfig({ 0: 'a', 2: 'b' }, 'a', 'b'), undefined);
  assert.equal(fromConfig({ 0: 'a', 1: 'a' }, 'a', 'a'), undefined);
});
