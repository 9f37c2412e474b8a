import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { shellWord } from '../../src/train/shell-word.ts';

test('a shell takes the word as the path it was', { skip: process.platform === 'win32' }, () => {
  for (const path of ['runs/2026-11-25', 'my runs', "it's $HOME", 'a"b`c`', '\\']) {
    const { stdout } = spawnSync('sh', ['-c', `printf %s ${shellWord(path)}`], { encoding: 'utf8' });
    assert.equal(stdout, path);
  }
  assert.equal(shellWord('runs/2026-11-25'), 'runs/2026-11-25');
});

test('on Windows backslashes stay, and what has spaces is in double quotes', () => {
  assert.equal(shellWord('C:\\runs\\a', 'win32'), 'C:\\runs\\a');
  assert.equal(shellWord('C:\\my runs\\a', 'win32'), '"C:\\my runs\\a"');
});
