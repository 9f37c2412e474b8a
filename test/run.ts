/**
 * Runs the tests of this folder in one run of node:test:
 *
 *   node --import tsx test/run.ts                those that need no Python and take seconds
 *   node --import tsx test/run.ts parity zoo     those of the folders named
 *
 * What begins with -- is an option of node's.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Their tests compare with PyTorch, or take minutes. */
const apart = ['parity', 'zoo', 'faults'];

const root = fileURLToPath(new URL('..', import.meta.url));
const [options, wanted] = [true, false].map((isOption) =>
  process.argv.slice(2).filter((argument) => argument.startsWith('--') === isOption),
) as [string[], string[]];
const files = readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.test.ts'))
  .filter((file) => {
    const folder = file.split(/[\\/]/)[0]!;
    return wanted.length > 0 ? wanted.includes(folder) : !apart.includes(folder);
  })
  .map((file) => join('test', file))
  .sort();
if (files.length === 0) {
  console.error(`No tests in ${wanted.map((folder) => `test/${folder}`).join(', ')}.`);
  process.exit(2);
}
// Node's own choice is a core less. It takes files, not patterns.
const concurrency = `--test-concurrency=${availableParallelism()}`;
const { status } = spawnSync(
  process.execPath,
  ['--import', 'tsx', '--test', '--test-reporter=spec', concurrency, ...options, ...files],
  { cwd: root, stdio: 'inherit' },
);
process.exit(status ?? 1);
