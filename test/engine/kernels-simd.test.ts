import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { simd } from './run-op.ts';

/** Sets the addon chooses from, worst first; each machine runs those up to its best. */
const SETS = process.arch === 'arm64' ? ['portable', 'neon'] : ['portable', 'avx2', 'avx512', 'avx512_bf16'];

for (const set of SETS.slice(0, Math.max(0, SETS.indexOf(simd)))) {
  test(`the kernels' tests pass with ${set} too`, () => {
    const files = ['kernels.test.ts', 'kernels-attention.test.ts', 'kernels-gemm.test.ts'].map((name) =>
      fileURLToPath(new URL(name, import.meta.url)),
    );
    const env: NodeJS.ProcessEnv = { ...process.env, SESD_SIMD: set };
    // else the child reports to this process's runner instead of exiting with a code
    delete env.NODE_TEST_CONTEXT;
    const child = spawnSync(process.execPath, ['--import', 'tsx', '--test', ...files], {
      env,
      encoding: 'utf8',
    });
    assert.equal(child.status, 0, child.stdout + child.stderr);
    assert.match(child.stdout, /^# pass [1-9]/m);
  });
}

test('an instruction set this machine does not have is refused', () => {
  const run = fileURLToPath(new URL('run-op.ts', import.meta.url));
  const child = spawnSync(process.execPath, ['--import', 'tsx', run], {
    env: { ...process.env, SESD_SIMD: 'sse9' },
    encoding: 'utf8',
  });
  assert.notEqual(child.status, 0);
  assert.match(child.stderr, /SESD_SIMD=sse9 cannot run here; the best this machine has is/);
});
