import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { makeWorkFolder } from '../cli/sesd-train.ts';
import { outcomeOf, start, succeed, training } from './command.ts';

const flags = `${training} --window 3 --max-steps 8`;
const resumable =
  /Free some space or check the permissions, then go on with: npx sesd-train --resume small\/run/;

function whyNot(): string | false {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'only root of Linux may mount a tmpfs';
  try {
    const probe = `/tmp/sesd-mount-${process.pid}`;
    mkdirSync(probe);
    execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', probe], { stdio: 'ignore' });
    execFileSync('umount', [probe]);
    rmSync(probe, { recursive: true });
    return false;
  } catch {
    return 'a tmpfs cannot be mounted here';
  }
}

describe('a full disk', { skip: whyNot() }, () => {
  let cwd: string;
  let small: string;
  before(async () => {
    cwd = await makeWorkFolder();
    small = join(cwd, 'small');
    mkdirSync(small);
    await succeed(`${flags} --output whole`, { cwd });
  });
  after(() => rm(cwd, { recursive: true, force: true }));

  async function mounted(options: string, action: () => Promise<void>): Promise<void> {
    execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', small]);
    try {
      await action();
    } finally {
      execFileSync('umount', ['--lazy', small]);
    }
  }

  /** Leaves so many bytes free, in whole pages. */
  function fill(free: number): void {
    const { bavail, bsize } = statfsSync(small);
    writeFileSync(join(small, 'filler'), Buffer.alloc(Math.max(0, bavail * bsize - free)));
  }

  const checkpointSteps = () => {
    const folder = join(small, 'run/checkpoints');
    return existsSync(folder) ? readdirSync(folder).sort() : [];
  };

  /** From nothing at all to two checkpoints. */
  for (const kilobytes of [0, 4, 12, 100, 260, 420]) {
    test(`with ${kilobytes} kB left is said to be one, and costs nothing once there is space`, async () => {
      await mounted('size=4m', async () => {
        fill(kilobytes * 1024);
        const { code, stderr } = await start(`${flags} --output small/run`, { cwd }).ended;
        assert.equal(code, 2, stderr);
        assert.match(stderr, /^sesd-train: .*(cannot be written|cannot write)/m);
        assert.doesNotMatch(stderr, /bug in sesd-train|^ +at /m);
        assert.ok(!checkpointSteps().some((name) => name.startsWith('.')), 'no half checkpoint stays');
        rmSync(join(small, 'filler'));
        const begun = existsSync(join(small, 'run/config.yaml'));
        if (begun) assert.match(stderr, resumable);
        await succeed(begun ? '--resume small/run' : `${flags} --output small/run --force`, { cwd });
        assert.deepEqual(outcomeOf(join(small, 'run')), outcomeOf(join(cwd, 'whole')));
      });
    });
  }

  test('that has no space for the model costs nothing either', async () => {
    await mounted('size=4m', async () => {
      fill(24 * 1024);
      const run = `${flags} --save-every never --output small/run`;
      const { code, stderr } = await start(run, { cwd }).ended;
      assert.equal(code, 2, stderr);
      assert.match(stderr, /^sesd-train: cannot write small\/run\/model\/.*: the disk is full/m);
      assert.match(stderr, resumable);
      rmSync(join(small, 'filler'));
      await succeed('--resume small/run', { cwd });
      assert.deepEqual(outcomeOf(join(small, 'run')).model, outcomeOf(join(cwd, 'whole')).model);
    });
  });

  test('is seen before a checkpoint is begun, with what it needs, and older ones stay', async () => {
    await mounted('size=4m', async () => {
      fill(460 * 1024); // enough for two, and for part of a third
      const { code, stderr } = await start(`${flags} --keep 5 --output small/run`, { cwd }).ended;
      assert.equal(code, 2, stderr);
      assert.match(
        stderr,
        /The checkpoint of step 3 cannot be written to small\/run\/checkpoints: it needs \d+ kB, and \d+ kB are free \(--keep 5 needs [\d.]+ MB in all/,
      );
      assert.match(stderr, resumable);
      assert.deepEqual(checkpointSteps(), ['step-1', 'step-2']);
      rmSync(join(small, 'filler'));
      await succeed('--resume small/run', { cwd });
      assert.deepEqual(outcomeOf(join(small, 'run')), outcomeOf(join(cwd, 'whole')));
    });
  });

  test('may show in the middle of a checkpoint: no half of one stays', async () => {
    // Space for bytes, but not for files: what statfs says of the bytes does not help.
    await mounted('size=8m,nr_inodes=22', async () => {
      const { code, stderr } = await start(`${flags} --output small/run`, { cwd }).ended;
      assert.equal(code, 2, stderr);
      assert.match(stderr, /The checkpoint of step \d cannot be written to .*: ENOSPC/);
      const before = checkpointSteps();
      assert.ok(before.length > 0 && before.every((name) => /^step-\d$/.test(name)), before.join());
      execFileSync('mount', ['-o', 'remount,size=8m,nr_inodes=1000', small]);
      await succeed('--resume small/run', { cwd });
      assert.deepEqual(outcomeOf(join(small, 'run')), outcomeOf(join(cwd, 'whole')));
    });
  });
});
