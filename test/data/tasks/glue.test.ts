import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { badData, published, read } from './published.ts';

/** GLUE's folder of one dataset, with the same rows to train on and as dev. */
const glue = (folder: string, rows: readonly string[]) =>
  published({ [`${folder}/train.tsv`]: rows.join('\n'), [`${folder}/dev.tsv`]: rows.join('\n') });

const noTest = /GLUE's test sets are not published/;

test('CoLA has no header', async () => {
  const rows = ['ab01\t1\t\tThe cat "sat', 'ab02\t0\t*\tCat the sat.'];
  const { examples, labels, notices } = await read('cola', glue('CoLA', rows));
  assert.deepEqual(labels, ['unacceptable', 'acceptable']);
  assert.deepEqual(examples.train, [
    { text: 'The cat "sat', label: 'acceptable', line: 1 },
    { text: 'Cat the sat.', label: 'unacceptable', line: 2 },
  ]);
  assert.deepEqual(examples.dev, examples.train);
  assert.equal(notices.length, 1);
  assert.match(notices[0]!, noTest);
});

test('SST-2', async () => {
  const { examples, labels } = await read(
    'sst2',
    glue('SST-2', ['sentence\tlabel', 'a joy \t1', 'dull \t0']),
  );
  assert.deepEqual(labels, ['negative', 'positive']);
  assert.deepEqual(examples.train, [
    { text: 'a joy ', label: 'positive', line: 2 },
    { text: 'dull ', label: 'negative', line: 3 },
  ]);
});

describe('MRPC', () => {
  const header = '\ufeffQuality\t#1 ID\t#2 ID\t#1 String\t#2 String';
  const row = '1\t70\t71\t"It is, he said.\tHe said it is.';
  const microsoft = [header, row, '0\t72\t73\tA rose.\tA fall.'].join('\r\n');

  test('of GLUE, with a byte order mark and a quote that never closes', async () => {
    const { examples, labels, notices } = await read('mrpc', glue('MRPC', [header, row]));
    assert.deepEqual(labels, ['not_equivalent', 'equivalent']);
    const [example] = examples.train!;
    assert.deepEqual(example, {
      text: '"It is, he said.',
      pair: 'He said it is.',
      label: 'equivalent',
      line: 2,
    });
    assert.match(notices[0]!, noTest);
  });

  test("Microsoft's test file has labels, also beside GLUE's", async () => {
    const files = { 'msr_paraphrase_train.txt': microsoft, 'msr_paraphrase_test.txt': microsoft };
    const alone = await read('mrpc', published(files));
    assert.deepEqual(Object.keys(alone.examples), ['train', 'test']);
    assert.deepEqual(alone.examples.test![1], {
      text: 'A rose.',
      pair: 'A fall.',
      label: 'not_equivalent',
      line: 3,
    });
    const small = `${header}\n${row}`;
    const both = await read('mrpc', published({ ...files, 'train.tsv': small, 'dev.tsv': small }));
    assert.deepEqual(
      Object.entries(both.examples).map(([split, { length }]) => [split, length]),
      [
        ['train', 1],
        ['dev', 1],
        ['test', 2],
      ],
    );
    assert.deepEqual(both.notices, []);
  });

  test('an empty folder is told of the files of GLUE', async () => {
    await assert.rejects(
      read('mrpc', published({})),
      badData(/expected train\.tsv, dev\.tsv in it or .*MRPC/),
    );
  });
});

test('QQP: rows torn apart are left out and counted', async () => {
  const rows = [
    'id\tqid1\tqid2\tquestion1\tquestion2\tis_duplicate',
    '1\t2\t3\tWhat is "x?\tWhat\'s x?\t1',
    '4\t5\t6\tIs this one',
    'cut?\tIt is.\t0',
    '7\t8\t9\tWhy?\tHow?\t0',
    '8\t8\t9\tWhy\tso?\tHow?\t0', // a tab too many: the label is not where it should be
  ];
  const { examples, labels, notices } = await read('qqp', glue('QQP', rows));
  assert.deepEqual(labels, ['not_duplicate', 'duplicate']);
  assert.deepEqual(examples.train, [
    { text: 'What is "x?', pair: "What's x?", label: 'duplicate', line: 2 },
    { text: 'Why?', pair: 'How?', label: 'not_duplicate', line: 5 },
  ]);
  assert.equal(notices[0], 'QQP: left out are 3 broken rows of train.tsv, 3 broken rows of dev.tsv.');
});

test('STS-B has scores from 0 to 5', async () => {
  const header = 'index\tgenre\tsource1\tsentence1\tsentence2\tscore';
  const rows = [header, '0\tnews\tx\tA man runs.\tA man walks.\t3.250'];
  const { examples, labels } = await read('stsb', glue('STS-B', rows));
  assert.equal(labels, undefined);
  assert.deepEqual(examples.train, [{ text: 'A man runs.', pair: 'A man walks.', label: '3.250', line: 2 }]);
  for (const score of ['5.5', '', 'high']) {
    const wrong = glue('STS-B', [...rows, `1\tnews\tx\tA\tB\t${score}`]);
    await assert.rejects(read('stsb', wrong), badData(/train\.tsv:3: expected a number from 0 to 5/));
  }
});

describe('entailment', () => {
  test('QNLI and RTE write it in words', async () => {
    const qnli = ['index\tquestion\tsentence\tlabel', '0\tWho?\tShe did.\tnot_entailment'];
    const rte = ['index\tsentence1\tsentence2\tlabel', '0\tIt rained.\tIt was wet.\tentailment'];
    const [first, second] = [await read('qnli', glue('QNLI', qnli)), await read('rte', glue('RTE', rte))];
    assert.deepEqual(first.examples.dev, [
      { text: 'Who?', pair: 'She did.', label: 'not_entailment', line: 2 },
    ]);
    assert.deepEqual(second.examples.dev, [
      { text: 'It rained.', pair: 'It was wet.', label: 'entailment', line: 2 },
    ]);
    assert.deepEqual(first.labels, ['entailment', 'not_entailment']);
    assert.deepEqual(second.labels, ['entailment', 'not_entailment']);
  });

  test('WNLI writes it as 1', async () => {
    const rows = ['index\tsentence1\tsentence2\tlabel', '0\tHe saw it.\tHe saw the box.\t1'];
    const { examples, labels } = await read('wnli', glue('WNLI', rows));
    assert.deepEqual(labels, ['not_entailment', 'entailment']);
    assert.equal(examples.train![0]!.label, 'entailment');
  });
});

test('the files of another task, a short row and no row are told apart', async () => {
  const sst2 = ['sentence\tlabel', 'a joy \t1'];
  await assert.rejects(
    read('rte', glue('RTE', sst2)),
    badData(/RTE[\\/]train\.tsv:1: no column "sentence1"; the header is sentence, label/),
  );
  await assert.rejects(read('sst2', glue('SST-2', [...sst2, 'cut'])), badData(/train\.tsv:3: .*no "label"/));
  await assert.rejects(read('sst2', glue('SST-2', ['sentence\tlabel'])), badData(/train\.tsv: .*no example/));
});
