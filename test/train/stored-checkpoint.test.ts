import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type Progress, readVerified, writeState } from '../../src/train/stored-checkpoint.ts';

let outer = '';
let folder = '';
before(async () => {
  outer = await mkdtemp(join(tmpdir(), 'sesd-state-'));
  folder = join(outer, 'step-1');
  await mkdir(folder);
});
after(() => rm(outer, { recursive: true }));

const progress: Progress = {
  ...{
    step: 1,
    evaluated: true,
    evaluationsSinceBest: 0,
    seconds: 0,
    strategy: { pool: { count: 1, scores: [] } },
  },
  data: { train: 'digest' },
  model: 'digest',
};
const content = Buffer.from('content');
const record = { bytes: content.length, sha256: createHash('sha256').update(content).digest('hex') };

async function verified(state: { progress?: unknown; files?: Record<string, unknown> }) {
  const files = { ...state.files } as Parameters<typeof writeState>[2];
  await writeState(folder, (state.progress ?? progress) as Progress, files);
  return readVerified(folder);
}

test('a state that was written is read, with its files', async () => {
  await writeFile(join(folder, 'student.safetensors'), content);
  const state = { files: { 'student.safetensors': record } };
  assert.deepEqual(await verified(state), { progress });
});

test('files elsewhere are not read, whatever the digest says', async () => {
  await writeFile(join(outer, 'secret.safetensors'), content);
  await symlink('../secret.safetensors', join(folder, 'link.safetensors'));
  await mkdir(join(folder, 'folder.safetensors'));
  const other = 'state.json does not say what a checkpoint does';
  for (const [name, fault] of [
    ['../secret.safetensors', other],
    [join(outer, 'secret.safetensors'), other],
    ['..\\secret.safetensors', other],
    ['state.json', other],
    ['link.safetensors', 'link.safetensors is not a file'],
    ['folder.safetensors', 'folder.safetensors is not a file'],
    ['gone.safetensors', 'gone.safetensors is missing'],
  ] as const) {
    const found = await verified({ files: { [name]: record } });
    assert.ok('fault' in found && found.fault.startsWith(fault), `${name}: ${JSON.stringify(found)}`);
  }
});

test('a state of other types is none, also with its digest', async () => {
  for (const wrong of [
    { ...progress, step: -1 },
    { ...progress, step: 1.5 },
    { ...progress, evaluated: 'yes' },
    { ...progress, strategy: { pool: 3 } },
    { ...progress, strategy: { pool: { count: 1, scores: 'many' } } },
    { ...progress, data: [] },
    { ...progress, best: { step: 1 } },
    [],
  ]) {
    assert.deepEqual(await verified({ progress: wrong }), {
      fault: 'state.json does not say what a checkpoint does',
    });
  }
  const deep = `{"format": 4, "progress": ${'['.repeat(100_000)}${']'.repeat(100_000)}}`;
  await writeFile(join(folder, 'state.json'), deep);
  assert.deepEqual(await readVerified(folder), { fault: 'state.json is nested too deep' });
  await writeFile(join(folder, 'state.json'), '{"format": {"toString": 1}}');
  assert.match(JSON.stringify(await readVerified(folder)), /expected format 4, found \{/);
  await writeState(folder, progress, {});
  const text = await readFile(join(folder, 'state.json'), 'utf8');
  await writeFile(join(folder, 'state.json'), text.replace('"format": 4', '"format": 5'));
  assert.match(JSON.stringify(await readVerified(folder)), /expected format 4, found 5/);
});
