import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { hasDriver } from '../../src/engine/backends/cuda/find-cuda.ts';
import { type Finished, jsonLines, makeWorkFolder, readJsonLines, rows, sesdTrain } from './sesd-train.ts';

const training = '--onnx bert --train train.jsonl --lr 5e-3 --head-lr 5e-3 --batch-size 5 --epochs 12';

describe('one run through all commands', () => {
  let folder: string;
  let run: Finished;
  const call = (args: string, stdin?: string): Promise<Finished> =>
    sesdTrain(args.split(' '), { cwd: folder, ...(stdin !== undefined && { stdin }) });

  before(async () => {
    folder = await makeWorkFolder();
    run = await call(`train ${training} --dev test.csv --test test.csv --output run`);
  });

  test('train says how far it is, how good the model is and where it lies', () => {
    assert.equal(run.code, 0, run.stderr);
    assert.match(
      run.stderr,
      /^20 train, 20 dev, 20 test examples of 2 labels; [\d,]+ parameters, 48 steps$/m,
    );
    const steps = run.stderr.match(
      /^step +\d+\/48 {2}loss \d+\.\d{3} \(ce [\d.]+, distill [\d.]+\) {2}\S+ samples\/s {2}\d+:\d\d left$/gm,
    );
    assert.ok(steps && steps.length >= 20 && steps.length <= 30, `${steps?.length} lines of steps`);
    assert.match(run.stderr, /^dev after step 4 {2}student {2}accuracy [\d.]+ % {2}loss/m);
    assert.match(run.stderr, /^dev after step 4 {2}teacher /m);
    for (const split of ['train', 'dev', 'test']) {
      assert.match(run.stdout, new RegExp(`^${split} +20 +100\\.0 % +1\\.000 +\\d\\.\\d{3}$`, 'm'));
    }
    assert.match(run.stdout, /^Model: {3}run[\\/]model$/m);
    assert.match(run.stdout, /predict run[\\/]model$/m);
    assert.ok(!(run.stderr + run.stdout).includes('\x1b'));
  });

  test('evaluate measures the same on the same examples', async () => {
    const { code, stdout, stderr } = await call('evaluate run test.csv --json');
    assert.equal(code, 0, stderr);
    const metrics = JSON.parse(stdout) as Record<string, unknown>;
    const [final] = (await readJsonLines(join(folder, 'run/metrics.jsonl'))).filter(
      ({ type, split, final }) => type === 'eval' && split === 'test' && final,
    );
    assert.equal(metrics.accuracy, final!.accuracy);
    assert.ok(Math.abs((metrics.loss as number) - (final!.loss as number)) < 1e-5);
    assert.deepEqual(metrics.labels, ['animal', 'food']);
  });

  const noGpu = hasDriver() && 'this machine has a driver';
  test('evaluate, predict and soup take a device: auto is the CPU here, without a word', {
    skip: noGpu,
  }, async () => {
    for (const device of ['', ' --device cpu']) {
      const { code, stderr } = await call(`evaluate run test.csv${device}`);
      assert.deepEqual({ code, stderr }, { code: 0, stderr: '' });
    }
    for (const command of ['evaluate run test.csv', 'predict run', 'soup run run --output of-two']) {
      const { code, stdout, stderr } = await call(`${command} --device cuda`, 'the dog');
      assert.deepEqual({ code, stdout }, { code: 1, stdout: '' });
      assert.match(stderr, /CUDA (cannot be used\. No NVIDIA driver|is used on Linux only)/);
    }
  });

  test('evaluate prints a table of labels and the confusion matrix', async () => {
    const { stdout } = await call('evaluate --model run/model --test test.csv');
    assert.match(stdout, /^Accuracy {2}100\.0 %$/m);
    assert.match(stdout, /^animal +1\.000 +1\.000 +1\.000 +10$/m);
    assert.match(stdout, /^food +0 +10$/m);
  });

  test('predict classifies lines from a pipe, in order', async () => {
    const { code, stdout, stderr } = await call('predict run', 'the dog, "sleeping"\n\nbread and cheese');
    assert.equal(code, 0, stderr);
    const found = jsonLines(stdout);
    assert.deepEqual(
      found.map(({ text }) => text),
      ['the dog, "sleeping"', '', 'bread and cheese'],
    );
    assert.equal(found[0]!.label, 'animal');
    assert.equal(found[2]!.label, 'food');
    for (const { probabilities, label, score } of found) {
      const values = probabilities as Record<string, number>;
      assert.ok(Math.abs(values.animal! + values.food! - 1) < 1e-6);
      assert.equal(values[label as string], score);
    }
  });

  test('predict reads Parquet', async () => {
    const file = join(import.meta.dirname, '../data/parquet/fixtures/class-label.parquet');
    const { code, stdout, stderr } = await sesdTrain(['predict', 'run', file], { cwd: folder });
    assert.equal(code, 0, stderr);
    assert.equal(jsonLines(stdout).length, 60);
  });

  test('predict goes from file to file, with logits', async () => {
    const { code, stdout, stderr } = await call('predict run test.csv --output found.csv --logits');
    assert.equal(code, 0, stderr);
    assert.equal(stdout, '');
    const [header, ...lines] = (await readFile(join(folder, 'found.csv'), 'utf8')).trim().split('\n');
    assert.equal(header, 'text,label,score,p_animal,p_food,logit_animal,logit_food');
    assert.equal(lines.length, rows.length);
    lines.forEach((line, i) => {
      const [text, label, , animal, food, logitAnimal, logitFood] = line.split(',');
      assert.equal(text, rows[i]!.text);
      assert.equal(label, rows[i]!.label);
      const odds = Math.log(Number(animal) / Number(food));
      assert.ok(Math.abs(odds - (Number(logitAnimal) - Number(logitFood))) < 1e-4);
    });
    assert.deepEqual(
      (await readdir(folder)).filter((name) => name.includes('partial')),
      [],
    );
  });

  test('predict reads jsonl from a pipe and quotes csv', async () => {
    const stdin = '{"text": "the \\"big\\" dog, running"}\n';
    const { stdout } = await call('predict run --format jsonl --output-format csv', stdin);
    assert.match(stdout, /^"the ""big"" dog, running",animal,0\.\d+,/m);
  });

  test('predict leaves no file behind when its input is wrong', async () => {
    await writeFile(join(folder, 'broken.jsonl'), '{"text": "fine"}\n{"text": \n');
    const { code, stderr } = await call('predict run broken.jsonl --output never.jsonl');
    assert.equal(code, 2);
    assert.match(stderr, /broken\.jsonl:2/);
    assert.deepEqual(
      (await readdir(folder)).filter((name) => name.includes('never')),
      [],
    );
  });

  test('a second run does not touch the first', async () => {
    const before = await readFile(join(folder, 'run/metrics.jsonl'), 'utf8');
    const { code, stderr } = await call(`${training} --output run`);
    assert.equal(code, 2);
    assert.match(stderr, /^sesd-train: run already holds a run.*--resume run.*--force/m);
    assert.equal(await readFile(join(folder, 'run/metrics.jsonl'), 'utf8'), before);
  });

  test('--json writes events to standard output and nothing else', async () => {
    const { code, stdout, stderr } = await call(`${training} --max-steps 3 --output json --json --quiet`);
    assert.equal(code, 0, stderr);
    const types = jsonLines(stdout).map(({ type }) => type);
    assert.deepEqual(
      types.filter((type) => type === 'step'),
      ['step', 'step', 'step'],
    );
    assert.equal(types.at(-1), 'done');
    assert.match(stderr, /^Model: {3}json[\\/]model$/m);
    assert.doesNotMatch(stderr, /^step/m);
  });

  test('--config gives options and flags go before it', async () => {
    await writeFile(
      join(folder, 'run.yaml'),
      'onnx: bert\ntrain: train.jsonl\nmaxSteps: 2\nbatchSize: 4\nseed: 7\n',
    );
    const { code, stdout, stderr } = await call('--config run.yaml --seed 8 --json --output configured');
    assert.equal(code, 0, stderr);
    const config = jsonLines(stdout).find(({ type }) => type === 'config');
    const { maxSteps, batchSize, seed } = config!.options as Record<string, unknown>;
    assert.deepEqual({ maxSteps, batchSize, seed }, { maxSteps: 2, batchSize: 4, seed: 8 });
  });

  test('a model without training data is trained on the sample task, and says so', async () => {
    const { code, stdout, stderr } = await call(
      '--onnx bert --max-steps 1 --max-length 8 --output sample --json',
    );
    assert.equal(code, 0, stderr);
    assert.match(stderr, /^No --train: training on the sample task \(WordNet/m);
    const config = jsonLines(stdout).find(({ type }) => type === 'config');
    assert.deepEqual(config!.examples, { train: 4000, dev: 500, test: 1000 });
  });

  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    test(`${signal} ends a run with a checkpoint and the command that goes on with it`, async () => {
      let sent = false;
      const output = `stopped-${signal}`;
      const stopped = await sesdTrain(`${training} --epochs 2000 --output ${output}`.split(' '), {
        cwd: folder,
        watch(text, kill) {
          if (!sent && /^step +1\//m.test(text)) kill(signal);
          sent ||= /^step/m.test(text);
        },
      });
      assert.equal(stopped.code, 130, stopped.stderr);
      assert.match(
        stopped.stderr,
        /sesd-train: Interrupted after step \d+ of 8000\. Go on with: .*--resume stopped-/,
      );
      assert.ok((await readdir(join(folder, output, 'checkpoints'))).length > 0);
      assert.equal(stopped.stdout, '');
    });
  }

  test('an interrupted predict exits 130', async () => {
    let sent = false;
    const many = `${'the dog sleeps\n'.repeat(200_000)}`;
    const { code, stderr } = await sesdTrain(['predict', 'run'], {
      cwd: folder,
      stdin: many,
      watch(_, kill) {
        if (!sent) kill('SIGINT');
        sent = true;
      },
    });
    assert.equal(code, 130, stderr);
  });

  test('inspect tells what training would do', async () => {
    const { code, stdout, stderr } = await call('inspect bert --classes 3 --json');
    assert.equal(code, 0, stderr);
    const report = JSON.parse(stdout) as { opset: number; training: Record<string, unknown> };
    assert.equal(report.opset, 17);
    assert.deepEqual(report.training.dropout, {
      embeddings: 1,
      attention: 1,
      relativePositions: 0,
      sublayers: 2,
      classifier: 1,
    });
    assert.equal((report.training.head as { classes: number }).classes, 3);

    const text = (await call('inspect --onnx bert')).stdout;
    assert.match(text, /^Head: +pooler, 2 classes/m);
    assert.match(text, /^Inputs: +input_ids \(ids, int64 \[batch, sequence\]\)/m);
  });
});
