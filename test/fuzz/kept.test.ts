import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { caseFromJson, sizeOf } from './case.ts';
import { judge } from './judge.ts';
import { targets } from './targets/index.ts';
import { type FileWatch, watchFiles } from './watch-files.ts';
import { WorkFolder } from './work-folder.ts';

const kept = join(import.meta.dirname, 'kept');
const root = join(import.meta.dirname, '../..');

describe('inputs that failed once', () => {
  let work: WorkFolder;
  let watch: FileWatch;
  before(async () => {
    work = await WorkFolder.make();
    watch = watchFiles([work.folder, root, process.execPath]);
  });
  after(() => work.remove());

  test('are of targets there are', () => {
    const names = targets.map(({ name }) => name);
    assert.deepEqual(
      readdirSync(kept).filter((name) => !names.includes(name)),
      [],
    );
  });

  for (const target of targets) {
    const folder = join(kept, target.name);
    for (const name of existsSync(folder) ? readdirSync(folder).sort() : []) {
      test(`${target.name}: ${name}`, async () => {
        const input = caseFromJson(readFileSync(join(folder, name), 'utf8'));
        work.write(input);
        const verdict = await judge(() => target.run(work.folder), sizeOf(input), watch);
        assert.notEqual(verdict.kind, 'failed', JSON.stringify(verdict));
      });
    }
  }
});

describe('the judge', () => {
  const unwatched: FileWatch = { start: () => {}, outside: () => undefined };
  const fails = async (run: () => Promise<void>, why: RegExp, watch = unwatched) => {
    const verdict = await judge(run, 0, watch);
    assert.ok(verdict.kind === 'failed' && why.test(verdict.why), JSON.stringify(verdict));
  };

  test('takes no other error for a refusal', () =>
    fails(async () => {
      throw new TypeError('x is undefined');
    }, /^TypeError: x is undefined$/));

  test('sees memory', async () => {
    const held: Uint8Array[] = [];
    await fails(async () => {
      held.push(new Uint8Array(400 * 2 ** 20).fill(1));
    }, /^it took \d+ MB for files of 0 bytes$/);
    assert.equal(held.length, 1);
  });

  test('sees files that are opened elsewhere', async () => {
    const work = await WorkFolder.make();
    const watch = watchFiles([work.folder]);
    const { readFile } = await import('node:fs/promises');
    await fails(
      async () => {
        await readFile(join(work.folder, '../canary/secret.bin'));
      },
      /^it opened .*canary.secret\.bin$/,
      watch,
    );
    await work.remove();
  });
});
