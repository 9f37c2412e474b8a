import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { makeWorkFolder } from '../cli/sesd-train.ts';
import { outcomeOf, start, succeed, training } from './command.ts';

/** Runs that are killed, each so many times, at moments drawn from its own seed. */
const runs = [
  { name: 'sda', flags: '--window 3 --accumulate 2 --max-steps 60', kills: 14 },
  { name: 'sda-all', flags: '--window all --export teacher --max-steps 40', kills: 6 },
  { name: 'sda-best', flags: '--window 2 --pool-size 3 --pool-select best --max-steps 40', kills: 6 },
  { name: 'sdv', flags: '--strategy sdv --window 2 --pool-storage disk --max-steps 40', kills: 6 },
  { name: 'ema', flags: '--strategy ema --teacher-start 0.2 --lambda-ramp 0.3 --max-steps 40', kills: 6 },
  { name: 'se', flags: '--strategy se --window 5 --max-steps 40', kills: 4 },
  { name: 'finetune', flags: '--strategy finetune --patience 30 --max-steps 40', kills: 4 },
  {
    name: 'part',
    flags: '--freeze ^embeddings --layer-lr-decay 0.9 --reinit-top 1 --max-steps 40',
    kills: 4,
  },
  { name: 'avg', flags: '--strategy avg --runs 2 --max-steps 15', kills: 4 },
];
const kills = runs.reduce((sum, run) => sum + run.kills, 0);

describe(`kill -9 at ${kills} random moments`, { concurrency: 2 }, () => {
  let cwd: string;
  /** Half-written checkpoints that were found after a kill. */
  let halves = 0;
  before(async () => {
    cwd = await makeWorkFolder();
  });
  after(() => rm(cwd, { recursive: true, force: true }));

  for (const [index, { name, flags, kills }] of runs.entries()) {
    test(`${name} ends as if it had not been killed ${kills} times`, async () => {
      await succeed(`${training} ${flags} --output ${name}-whole`, { cwd });
      const random = xoroshiro128plus(2002 + index);
      const run = join(cwd, name);
      for (let kill = 0; kill < kills; kill++) {
        // Every fourth anywhere from the start of the process on, the others while it trains.
        const draw = (below: number) => ((random.next() >>> 0) / 2 ** 32) * below;
        if (kill % 4 === 3) await killedAfter(goOn(name, flags), { steps: 0, ms: draw(700) });
        else await killedAfter(goOn(name, flags), { steps: Math.ceil(draw(5)), ms: draw(40) });
        if (existsSync(join(run, 'checkpoints')))
          halves += readdirSync(join(run, 'checkpoints')).filter((each) => each.startsWith('.')).length;
      }
      await succeed(goOn(name, flags), { cwd });
      assert.deepEqual(outcomeOf(run), outcomeOf(`${run}-whole`));
    });
  }

  test('also inside a checkpoint write', (t) => {
    t.diagnostic(`${halves} half-written checkpoints`);
    assert.ok(halves >= 3, `${halves} half-written checkpoints`);
  });

  /** What a user types after a crash: --resume, or the same again where there was nothing yet. */
  function goOn(name: string, flags: string): string {
    const begun = existsSync(join(cwd, name, 'config.yaml'));
    return begun ? `--resume ${name}` : `${training} ${flags} --output ${name} --force`;
  }

  async function killedAfter(args: string, { steps, ms }: { steps: number; ms: number }): Promise<void> {
    let left = steps;
    let reached = () => {};
    const training = new Promise<void>((resolve) => {
      reached = resolve;
    });
    const { child, ended } = start(args, {
      cwd,
      onEvent: ({ type }) => type === 'step' && --left === 0 && reached(),
    });
    if (steps > 0) await Promise.race([training, ended]);
    await Promise.race([setTimeout(ms), ended]);
    child.kill('SIGKILL');
    const { code, signal, stderr } = await ended;
    assert.ok(signal === 'SIGKILL' || code === 0, stderr);
  }
});
