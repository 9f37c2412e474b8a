import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { loadAddon, runtimeLibrary } from '../../src/engine/backends/load-addon.ts';

const before = process.env.SESD_ONNXRUNTIME;

afterEach(() => {
  if (before === undefined) delete process.env.SESD_ONNXRUNTIME;
  else process.env.SESD_ONNXRUNTIME = before;
});

test('the library is the argument, else SESD_ONNXRUNTIME, else that of onnxruntime-node', () => {
  delete process.env.SESD_ONNXRUNTIME;
  const packaged = runtimeLibrary();
  assert.match(packaged, /onnxruntime-node.bin.napi-v6.*onnxruntime/);
  const here = fileURLToPath(import.meta.url);
  process.env.SESD_ONNXRUNTIME = here;
  assert.equal(runtimeLibrary(), here);
  assert.equal(runtimeLibrary(packaged), packaged);
});

test('a library that is not there is said with where it was named', () => {
  process.env.SESD_ONNXRUNTIME = '/no/such/library';
  assert.throws(() => runtimeLibrary(), {
    code: 'SESD_NATIVE_LOAD',
    message: 'SESD_ONNXRUNTIME: there is no library /no/such/library',
  });
  assert.throws(() => runtimeLibrary('/nor/this'), { message: '--runtime: there is no library /nor/this' });
});

test('a file that is no ONNX Runtime is refused', () => {
  const script = fileURLToPath(new URL('./native-process.ts', import.meta.url));
  const open = (library: string) =>
    spawnSync(process.execPath, ['--import', 'tsx', script, 'bits', '1'], {
      encoding: 'utf8',
      env: { ...process.env, SESD_ONNXRUNTIME: library },
    });
  const text = open(script);
  assert.equal(text.status, 1);
  assert.match(text.stderr, /cannot load/);
});

test('the addon is loaded once', () => {
  assert.equal(loadAddon(), loadAddon());
});

test('a missing compiler or cmake is said in one line with what to install', {
  skip: process.platform !== 'linux',
}, () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'sesd-'));
  try {
    const build = (...programs: string[]) => {
      for (const program of programs) symlinkSync('/bin/true', path.join(folder, program));
      const script = fileURLToPath(new URL('../../native/build.mjs', import.meta.url));
      return spawnSync(process.execPath, [script, folder], { encoding: 'utf8', env: { PATH: folder } });
    };
    const line = (what: string, how: string) =>
      `sesd-train: building the native addon needs ${what}; install with: apt-get install ${how}\n`;
    const all = build();
    assert.deepEqual(
      [all.status, all.stdout, all.stderr],
      [2, '', line('g++, make, cmake', 'g++ make cmake')],
    );
    const cmake = build('clang++', 'ninja');
    assert.deepEqual([cmake.status, cmake.stdout, cmake.stderr], [2, '', line('cmake', 'cmake')]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
