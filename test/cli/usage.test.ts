import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { trainFields } from '../../src/config/train-options.ts';
import { makeWorkFolder, sesdTrain } from './sesd-train.ts';

describe('help', () => {
  test('of train has every flag under its group, with its default', async () => {
    const { code, stdout, stderr } = await sesdTrain(['--help']);
    assert.equal(code, 0);
    assert.equal(stderr, '');
    for (const { flag, group } of trainFields) {
      assert.match(stdout, new RegExp(`^ +${flag} `, 'm'));
      assert.match(stdout, new RegExp(`^${group}:$`, 'm'));
    }
    assert.match(stdout, /--epochs .*\(default: 3\)/);
    assert.match(stdout, /--shuffle .*--no-shuffle/);
    for (const command of ['evaluate', 'predict', 'inspect']) {
      assert.match(stdout, new RegExp(`sesd-train ${command}`));
    }
  });

  test('of another command has its own flags', async () => {
    const { code, stdout } = await sesdTrain(['predict', '-h']);
    assert.equal(code, 0);
    assert.match(stdout, /--output-format/);
    assert.doesNotMatch(stdout, /--warmup/);
  });

  test('--version is that of the package', async () => {
    const { stdout, code } = await sesdTrain(['--version']);
    assert.match(stdout, /^\d+\.\d+\.\d+\n$/);
    assert.equal(code, 0);
  });
});

describe('wrong usage exits 2 and says in one paragraph', () => {
  let folder: string;
  before(async () => {
    folder = await makeWorkFolder();
    await writeFile(join(folder, 'picture.onnx'), Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex'));
    await writeFile(join(folder, 'wrong.yaml'), 'epochs: 3\nlearningRate: 0.1\n');
    await writeFile(join(folder, 'empty.csv'), '');
  });

  const cases: [args: string, message: RegExp][] = [
    ['--epoch 3', /--epoch is not a flag\. Did you mean --epochs\?/],
    ['--no-shufle', /--no-shufle is not a flag\. Did you mean --no-shuffle\?/],
    ['-x', /-x is not a flag\. See --help/],
    ['--lr fast', /--lr: expected a number.*found "fast"/],
    ['--lr', /--lr needs a value/],
    ['--freeze layer[', /--freeze: expected a regular expression .*found "layer\["/],
    [
      '--onnx bert --train train.jsonl --freeze encoder\\.0',
      /--freeze encoder\\\.0 matches none of the 25 weights/,
    ],
    ['--onnx bert --train train.jsonl --reinit-top 2', /--reinit-top 2: the model has 1 layer\./],
    ['inspect --onnx bert --freeze nothing', /^sesd-train: --freeze nothing matches none/],
    ['--json=maybe', /--json: expected true or false, found "maybe"/],
    ['--strategy sd', /--strategy: .*found "sd"\. Did you mean sda\?/],
    ['--task snil --data x', /--task: expected one of imdb, .*found "snil"\. Did you mean snli\?/],
    [
      '--onnx bert --task snli --data x',
      /--data x: no such folder\. SNLI 1\.0 is published as snli_1\.0\.zip/,
    ],
    ['trian --epochs 3', /"trian" is not a command\. Did you mean train\?/],
    ['train data.csv', /"data.csv" was not expected here/],
    ['predict --epochs 3', /--epochs is not a flag/],
    ['predict', /predict needs a model\..*--model/],
    ['evaluate bert', /evaluate needs labelled examples\..*--test/],
    ['predict bert test.csv', /bert.*cannot classify/],
    ['--config wrong.yaml', /wrong\.yaml: learningRate is not an option/],
    ['--config none.yaml', /none\.yaml cannot be read/],
    ['--resume none', /--resume none: there is no run/],
    ['--onnx none.onnx', /none\.onnx/],
    ['inspect picture.onnx', /picture\.onnx is a PNG image; expected an ONNX model/],
    ['--onnx bert --train empty.csv', /empty\.csv: the file is empty/],
    ['--onnx bert --train test.csv --label topic', /test\.csv:1: no column "topic" \(--label\)/],
  ];
  for (const [args, message] of cases) {
    test(args, async () => {
      const { code, stdout, stderr } = await sesdTrain(args.split(' '), { cwd: folder });
      const said = stderr
        .split('\n')
        .filter((line) => line !== '' && !/^No --train|is trained with/.test(line));
      assert.equal(said.length, 1, stderr);
      assert.match(said[0]!, message);
      assert.match(said[0]!, /^sesd-train: /);
      assert.equal(code, 2);
      assert.equal(stdout, '');
    });
  }

  test('with the stack trace only when it is asked for', async () => {
    const { stderr } = await sesdTrain(['--lr', 'fast'], { env: { SESD_DEBUG: '1' } });
    assert.match(stderr, /^ {4}at /m);
  });
});
