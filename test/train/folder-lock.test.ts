import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { SesdError } from '../../src/errors.ts';
import { lockAddress, lockFolder } from '../../src/train/folder-lock.ts';
import { tinyFolder } from './tiny-run.ts';

const refused = (error: unknown) => {
  assert.ok(error instanceof SesdError, String(error));
  assert.equal(error.code, 'SESD_OUTPUT');
  assert.match(error.message, /Another process is training in /);
  return true;
};

describe('the lock of a folder', () => {
  test('is held by one at a time, whatever the folder is called', async () => {
    const folder = tinyFolder();
    const alias = join(tinyFolder(), 'alias');
    await symlink(folder, alias);
    const unlock = await lockFolder(folder);
    await assert.rejects(lockFolder(alias), refused);
    (await lockFolder(tinyFolder()))();
    unlock();
    (await lockFolder(alias))();
  });

  test('is taken over from a process that was killed, where it is a file', {
    skip: process.platform === 'win32' && 'sockets are no files there',
  }, async () => {
    const address = join(tinyFolder(), 'run.sock');
    const holder = spawn(process.execPath, [
      '-e',
      `require('net').createServer().listen(${JSON.stringify(address)}, () => console.log('held'))`,
    ]);
    await once(holder.stdout, 'data');
    await assert.rejects(lockAddress(address, 'run'), refused);
    holder.kill('SIGKILL');
    await once(holder, 'exit');
    assert.ok(existsSync(address), 'what it left is in the way');
    (await lockAddress(address, 'run'))();
  });
});
