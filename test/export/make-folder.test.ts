import assert from 'node:assert/strict';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeFolder } from '../../src/export/make-folder.ts';

test('makes every missing folder, and is content with those there are', async (t) => {
  const root = await mkdtemp(join(tmpdir(), 'sesd-folder-'));
  t.after(() => rm(root, { recursive: true }));
  const folder = join(root, 'a', 'b', 'c');
  await makeFolder(folder);
  await makeFolder(folder);
  assert.ok((await stat(folder)).isDirectory());
});

test('a file in the way is an error', async (t) => {
  const root = await mkdtemp(join(tmpdir(), 'sesd-folder-'));
  t.after(() => rm(root, { recursive: true }));
  await writeFile(join(root, 'file'), '');
  await assert.rejects(makeFolder(join(root, 'file', 'a')), {
    code: process.platform === 'win32' ? 'ENOENT' : 'ENOTDIR',
  });
});

test('a drive that is not there is an error', { skip: process.platform !== 'win32' }, async () => {
  await assert.rejects(makeFolder('Q:\\run'), { code: 'ENOENT' });
});

test('where nothing can be made it gives up', { skip: process.platform !== 'linux' }, async () => {
  await assert.rejects(makeFolder('/proc/sesd/run'), { code: 'ENOENT' });
});
