import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { makeWorkFolder } from '../cli/sesd-train.ts';
import { outcomeOf, start, succeed, training } from './command.ts';

type Event = Record<string, unknown>;
const flags = `${training} --window 3 --accumulate 2 --max-steps 12`;

/** When the signal is sent, by the event just before; what then goes on is cancelled, or ends and is kept. */
const moments: [string, (event: Event) => boolean, NodeJS.Signals][] = [
  ['before the first step', ({ type }) => type === 'config', 'SIGINT'],
  ['in a step', ({ type }) => type === 'checkpoint', 'SIGTERM'],
  ['in an evaluation, or just before', ({ type, step }) => type === 'step' && step === 4, 'SIGINT'],
  ['in the write of a checkpoint', ({ type, step }) => type === 'eval' && step === 6, 'SIGTERM'],
  ['at the last step', ({ type, step }) => type === 'step' && step === 12, 'SIGINT'],
  ['in the last evaluations', ({ type, final }) => type === 'eval' && final === true, 'SIGTERM'],
];

describe('a signal', { skip: process.platform === 'win32' && 'there are none there' }, () => {
  let cwd: string;
  before(async () => {
    cwd = await makeWorkFolder();
    await succeed(`${flags} --output whole`, { cwd });
  });
  after(() => rm(cwd, { recursive: true, force: true }));

  /** Where an evaluation was interrupted, the checkpoint of before it stays, and the evaluation is done again. */
  const lasting = (run: string) => {
    const { checkpoint, ...rest } = outcomeOf(join(cwd, run));
    const { 'state.json': _state, 'best.safetensors': _best, ...arrays } = checkpoint;
    return { ...rest, arrays };
  };
  const same = (run: string) => assert.deepEqual(lasting(run), lasting('whole'));

  /** Sends the signal once, at the first event that is the moment. */
  function interrupted(args: string, isMoment: (event: Event) => boolean, signal: NodeJS.Signals) {
    let sent = false;
    return start(args, {
      cwd,
      onEvent(event, child) {
        if (sent || !isMoment(event)) return;
        sent = true;
        child.kill(signal);
      },
    }).ended;
  }

  test('one run takes one in each of its phases, and ends as if undisturbed', async (t) => {
    for (const [moment, isMoment, signal] of moments) {
      const args = existsSync(join(cwd, 'run')) ? '--resume run' : `${flags} --output run`;
      const { code, stderr } = await interrupted(args, isMoment, signal);
      t.diagnostic(`${signal} ${moment}: ${code}, ${stderr.trimEnd().split('\n').at(-1)}`);
      // A run that has nothing left but to write its model does that.
      if (code === 0 && moment === 'in the last evaluations') continue;
      assert.equal(code, 130, `${moment}: ${stderr}`);
      assert.match(
        stderr,
        /^sesd-train: Interrupted after step \d+ of 12\. Go on with: npx sesd-train --resume run$/m,
      );
      assert.match(stderr, /^Stopping; once more to stop at once\.$/m);
    }
    await succeed('--resume run', { cwd });
    same('run');
  });

  test('a second one ends the process at once, and nothing is lost', async () => {
    const { child, ended } = start(`${flags} --output twice`, {
      cwd,
      onEvent: ({ type, step }, process) => type === 'step' && step === 5 && process.kill('SIGINT'),
    });
    child.stderr!.on('data', (text: string) => {
      if (text.includes('Stopping')) child.kill('SIGINT');
    });
    const { code, stderr } = await ended;
    assert.equal(code, 130, stderr);
    await succeed('--resume twice', { cwd });
    same('twice');
  });
});
