import assert from 'node:assert/strict';
import {
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { SesdError, type SesdErrorCode } from '../../src/errors.ts';
import { CheckpointStore } from '../../src/train/checkpoint.ts';
import type { TrainEvent } from '../../src/train/events.ts';
import { flatten, TinyEngine } from './tiny-engine.ts';
import { tinyExamples, tinyFit, tinyFolder } from './tiny-run.ts';

function fails(code: SesdErrorCode, message: RegExp) {
  return (error: unknown) => {
    assert.ok(error instanceof SesdError, String(error));
    assert.equal(error.code, code);
    assert.match(error.message, message);
    return true;
  };
}

const checkpoints = (folder: string) => readdirSync(join(folder, 'checkpoints')).sort();
const notices = (events: readonly TrainEvent[]) =>
  events.flatMap((event) => (event.type === 'notice' ? event.message : []));

describe('checkpoints', () => {
  test('are written as asked for, and the newest two kept', async () => {
    const epochs = await tinyFit({ options: { epochs: 3 } });
    assert.deepEqual(checkpoints(epochs.folder), ['step-10', 'step-15']);
    const often = await tinyFit({ options: { epochs: 3, saveEvery: 4, keep: 3 } });
    assert.deepEqual(checkpoints(often.folder), ['step-12', 'step-15', 'step-8']);
    assert.deepEqual(
      often.events.flatMap((event) => (event.type === 'checkpoint' ? event.step : [])),
      [4, 8, 12, 15],
    );
    const never = await tinyFit({ options: { saveEvery: 'never' } });
    assert.equal(existsSync(join(never.folder, 'checkpoints')), false);
  });

  test('are resumed from the newest whole one; what a crash left is not one, and goes', async () => {
    const options = { window: 3, dropout: 0.1, epochs: 3 } as const;
    const whole = await tinyFit({ options });
    const { folder } = await tinyFit({ options: { ...options, saveEvery: 2, keep: 9 } });
    // As if the process had been killed while it wrote the checkpoint after step 7.
    const list = await readdir(join(folder, 'checkpoints'));
    for (const name of list.filter((each) => Number(each.slice(5)) > 6))
      await rm(join(folder, 'checkpoints', name), { recursive: true });
    await mkdir(join(folder, 'checkpoints', '.step-7.partial'));
    writeFileSync(join(folder, 'checkpoints', '.step-7.partial', 'student.safetensors'), 'half');
    const resumed = await tinyFit({ folder, resume: true, options: { ...options, saveEvery: 2 } });
    assert.equal(resumed.steps[0]!.step, 7);
    assert.deepEqual(resumed.weights, whole.weights);
    assert.deepEqual(checkpoints(folder), ['step-14', 'step-15']);
  });

  test('need not be there yet: the run then starts from the beginning', async () => {
    const whole = await tinyFit();
    const resumed = await tinyFit({ resume: true });
    assert.deepEqual([resumed.steps.length, resumed.weights], [10, whole.weights]);
    assert.match(notices(resumed.events)[0]!, /no checkpoint yet/);
  });

  test('hold safetensors that say what they hold', async () => {
    const { folder, engine } = await tinyFit({ options: { export: 'student' } });
    const bytes = readFileSync(join(folder, 'checkpoints/step-10/student.safetensors'));
    const length = Number(bytes.readBigUInt64LE(0));
    assert.equal(length % 8, 0);
    const header = JSON.parse(bytes.subarray(8, 8 + length).toString());
    const { dtype, shape, data_offsets: offsets } = header['classifier.bias'];
    assert.deepEqual([dtype, shape], ['F32', [3]]);
    const data = bytes.subarray(8 + length + offsets[0], 8 + length + offsets[1]);
    const bias = (await flatten(engine.student.read())).slice(-3);
    assert.deepEqual(
      [0, 4, 8].map((at) => data.readFloatLE(at)),
      bias,
    );
  });

  test('of other examples are refused, whichever split they are of', async () => {
    const data = { train: tinyExamples(18), dev: tinyExamples(9, 2), test: tinyExamples(6, 1) };
    const { folder } = await tinyFit(data);
    for (const split of ['train', 'dev', 'test'] as const) {
      await assert.rejects(
        tinyFit({ ...data, [split]: tinyExamples(9, 1), folder, resume: true }),
        fails('SESD_CHECKPOINT', new RegExp(`The examples of the ${split} split are not those the run`)),
      );
    }
  });

  test('of another model are refused', async () => {
    const { folder } = await tinyFit();
    const { parameters } = new TinyEngine();
    const other = parameters.map((each) => ({ ...each, name: each.name.replace('e', 'i') }));
    const { checkpoint } = await new CheckpointStore(folder, other, { keep: 1 }).newest();
    await assert.rejects(
      async () => {
        for await (const _ of checkpoint!.read('student'));
      },
      fails('SESD_CHECKPOINT', /student\.safetensors does not hold the 3 tensors of this model/),
    );
    const options = { onnx: 'other.onnx' };
    await assert.rejects(
      tinyFit({ folder, resume: true, modelDigest: 'other', options }),
      fails('SESD_CHECKPOINT', /^The model of --onnx other\.onnx is not the one the run was started with/),
    );
  });

  test('that cannot be written end the run and leave no half of one', async () => {
    const folder = tinyFolder();
    writeFileSync(join(folder, 'checkpoints'), 'a file where the folder should be');
    await assert.rejects(tinyFit({ folder }), fails('SESD_OUTPUT', /checkpoint of step 5 cannot be written/));
  });

  test('count only when the log they belong to is on the disk', async () => {
    const folder = tinyFolder();
    const { parameters, student } = new TinyEngine();
    const store = new CheckpointStore(folder, parameters, {
      keep: 1,
      flushLog: async () => {
        assert.deepEqual(checkpoints(folder), ['.step-3.partial']);
        throw new Error('the log cannot be flushed');
      },
    });
    const progress = {
      step: 3,
      evaluated: true,
      evaluationsSinceBest: 0,
      seconds: 0,
      strategy: {},
      data: {},
      model: '',
    };
    await assert.rejects(
      store.save(progress, [{ name: 'student', read: () => student.read() }]),
      fails('SESD_OUTPUT', /step 3 cannot be written to .*: the log cannot be flushed/),
    );
    assert.deepEqual(checkpoints(folder), []);
  });
});

/** What may happen to a checkpoint that was whole, and what is said of it. */
const damages: [string, (folder: string) => void, RegExp][] = [
  ['a flipped bit', (folder) => flipBit(join(folder, 'v.safetensors')), /v\.safetensors is not what was/],
  [
    'a file cut short',
    (folder) => truncateSync(join(folder, 'm.safetensors'), statSync(join(folder, 'm.safetensors')).size - 1),
    /m\.safetensors: expected \d+ bytes, found \d+/,
  ],
  ['a missing file', (folder) => rmSync(join(folder, 'best.safetensors')), /best\.safetensors is missing/],
  ['a missing state', (folder) => rmSync(join(folder, 'state.json')), /state\.json is missing/],
  ['no files', (folder) => rmSync(folder, { recursive: true }), /^$/],
  [
    'a state that is not JSON',
    (folder) => writeFileSync(join(folder, 'state.json'), '{"format": 4, '),
    /state\.json is not valid JSON/,
  ],
  ['an empty state', (folder) => writeFileSync(join(folder, 'state.json'), 'null'), /found undefined/],
  [
    'a state that was edited',
    (folder) => edit(join(folder, 'state.json'), (text) => text.replace('"step": 6', '"step": 7')),
    /state\.json is not what was written/,
  ],
  [
    'a state of another version',
    (folder) => edit(join(folder, 'state.json'), (text) => text.replace('"format": 4', '"format": 99')),
    /state\.json: expected format 4, found 99 \(written by version \d+\.\d+\.\d+\)/,
  ],
];

function flipBit(path: string): void {
  const bytes = readFileSync(path);
  bytes[bytes.length - 2]! ^= 1;
  writeFileSync(path, bytes);
}

function edit(path: string, change: (text: string) => string): void {
  const text = readFileSync(path, 'utf8');
  assert.notEqual(change(text), text);
  writeFileSync(path, change(text));
}

describe('of damaged checkpoints', async () => {
  const run = {
    dev: tinyExamples(9, 2),
    options: { saveEvery: 2, evalEvery: 2, epochs: 2, window: 3, dropout: 0.2 },
  } as const;
  const whole = await tinyFit(run);
  /** A run that got to step 6. */
  const stopped = async () => {
    const { folder } = await tinyFit({ ...run, options: { ...run.options, keep: 9 } });
    for (const name of checkpoints(folder)) {
      if (Number(name.slice(5)) > 6) rmSync(join(folder, 'checkpoints', name), { recursive: true });
    }
    return folder;
  };

  for (const [what, damage, fault] of damages) {
    test(`${what} costs the newest: the one before is used, and that is said`, async () => {
      const folder = await stopped();
      damage(join(folder, 'checkpoints/step-6'));
      const resumed = await tinyFit({ ...run, folder, resume: true });
      assert.equal(resumed.steps[0]!.step, 5);
      assert.deepEqual(resumed.weights, whole.weights);
      const [notice = ''] = notices(resumed.events);
      assert.match(notice, fault);
      if (notice) assert.match(notice, /^Left a damaged checkpoint out, going on from step 4: .*step-6: /);
      assert.deepEqual(checkpoints(folder), ['step-10', 'step-8']);
    });
  }

  test('the one that is written again takes the place of the damaged', async () => {
    const folder = await stopped();
    flipBit(join(folder, 'checkpoints/step-6/m.safetensors'));
    await tinyFit({ ...run, folder, resume: true, options: { ...run.options, maxSteps: 6 } });
    const again = await tinyFit({ ...run, folder, resume: true });
    assert.deepEqual(notices(again.events), []);
    assert.equal(again.steps[0]!.step, 7);
  });

  test('when all are, each is named, and nothing is removed', async () => {
    const folder = await stopped();
    for (const step of [2, 4, 6]) flipBit(join(folder, `checkpoints/step-${step}/m.safetensors`));
    await assert.rejects(
      tinyFit({ ...run, folder, resume: true }),
      fails('SESD_CHECKPOINT', /No checkpoint can be used: .*step-6: m\.saf.*; .*step-4: m.*; .*step-2: m/),
    );
    assert.deepEqual(checkpoints(folder), ['step-2', 'step-4', 'step-6']);
  });
});
