import assert from 'node:assert/strict';
import { copyFileSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { makeWorkFolder } from '../cli/sesd-train.ts';
import { outcomeOf, start, succeed, training } from './command.ts';

const flags = `${training} --window 3 --max-steps 8`;

describe('what changes around a run', () => {
  let cwd: string;
  before(async () => {
    cwd = await makeWorkFolder();
    copyFileSync(join(cwd, 'test.csv'), join(cwd, 'original.csv'));
    await succeed(`${flags} --output whole`, { cwd });
  });
  after(() => rm(cwd, { recursive: true, force: true }));

  const same = (run: string) => assert.deepEqual(outcomeOf(join(cwd, run)), outcomeOf(join(cwd, 'whole')));
  /** A run that got to step 5. */
  const stopped = async (name: string) => {
    const { code } = await start(`${flags} --output ${name}`, {
      cwd,
      onEvent: ({ type, step }, child) => type === 'checkpoint' && step === 5 && child.kill('SIGKILL'),
    }).ended;
    assert.equal(code, null);
  };
  const refused = async (args: string, message: RegExp) => {
    const { code, stderr } = await start(args, { cwd }).ended;
    assert.equal(code, 2, stderr);
    assert.match(stderr, message);
  };

  test('an evaluation file that vanishes or changes is named; once restored the run goes on', async () => {
    await stopped('evaluation');
    const dev = join(cwd, 'test.csv');
    rmSync(dev);
    await refused('--resume evaluation', /^sesd-train: --dev \S+test\.csv: no such file/m);
    writeFileSync(dev, readFileSync(join(cwd, 'original.csv'), 'utf8').replace('cheese', 'butter'));
    await refused(
      '--resume evaluation',
      /^sesd-train: The examples of --dev \S+test\.csv are not those the run was started with\. Restore/m,
    );
    copyFileSync(join(cwd, 'original.csv'), dev);
    await succeed('--resume evaluation', { cwd });
    same('evaluation');
  });

  test('a damaged newest checkpoint is left out, and that is said', async () => {
    await stopped('damaged');
    const checkpoints = join(cwd, 'damaged/checkpoints');
    const newest = readdirSync(checkpoints)
      .filter((name) => name.startsWith('step-'))
      .sort()
      .at(-1)!;
    const file = join(checkpoints, newest, 'student.safetensors');
    const bytes = readFileSync(file);
    bytes[bytes.length - 1]! ^= 1;
    writeFileSync(file, bytes);
    const { code, stderr } = await start('--resume damaged', { cwd }).ended;
    assert.equal(code, 0, stderr);
    assert.match(
      stderr,
      new RegExp(`^Left a damaged checkpoint out, going on from step \\d: .*${newest}: student\\.saf`, 'm'),
    );
    same('damaged');
  });

  test('a clock that jumps changes nothing but times', async () => {
    const clock = join(cwd, 'clock.mjs');
    // Every look at the clock is years after or before the last one.
    writeFileSync(
      clock,
      `const Real = Date; let looks = 0;
       const now = () => 1e12 + (++looks % 2 ? 1 : -1) * looks * 1e11;
       globalThis.Date = class extends Real {
         constructor(...given) { super(...(given.length > 0 ? given : [now()])); }
         static now() { return now(); }
       };`,
    );
    const env = { NODE_OPTIONS: `--import ${pathToFileURL(clock).href}` };
    await stopped('jumping');
    await succeed('--resume jumping', { cwd, env });
    same('jumping');
  });

  test('runs that start in the same second have folders of their own', async () => {
    const clock = join(cwd, 'still.mjs');
    writeFileSync(
      clock,
      `const Real = Date;
       globalThis.Date = class extends Real {
         constructor(...given) { super(...(given.length > 0 ? given : [1e12])); }
         static now() { return 1e12; }
       };`,
    );
    const env = { NODE_OPTIONS: `--import ${pathToFileURL(clock).href}` };
    await Promise.all(Array.from({ length: 3 }, () => succeed(flags, { cwd, env })));
    const folders = readdirSync(join(cwd, 'runs')).sort();
    assert.deepEqual(
      folders,
      ['', '-2', '-3'].map((number) => `2001-09-09T01-46-40${number}`),
    );
    for (const folder of folders) same(join('runs', folder));
  });

  test('a second process is kept out of the folder, and let in once the first was killed', async () => {
    let intruder: Promise<void> | undefined;
    const { code, signal } = await start(`${training} --max-steps 100000 --output shared`, {
      cwd,
      onEvent({ type, step }, child) {
        if (type !== 'checkpoint' || step !== 2) return;
        intruder = refused('--resume shared', /^sesd-train: Another process is training in shared\. Wait/m);
        intruder.catch(() => {}).finally(() => child.kill('SIGKILL'));
      },
    }).ended;
    assert.deepEqual([code, signal], [null, 'SIGKILL']);
    await intruder;
    const next = await start('--resume shared', {
      cwd,
      onEvent: ({ type }, child) => type === 'step' && child.kill('SIGINT'),
    }).ended;
    assert.equal(next.code, 130, next.stderr);
  });
});
