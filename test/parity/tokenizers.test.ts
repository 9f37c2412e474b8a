import assert from 'node:assert/strict';
import { createReadStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { loadTokenizer } from '../../src/tokenizer/load.ts';
import { findPython, runPython } from './python.ts';

interface Texts {
  texts: string[];
  every: string[];
}

/** What Python gives for the texts: ids, for the pairs with their token types. */
interface Encodings {
  tokenizer: string;
  texts: number[][];
  every: number[][];
  pairs: [ids: number[], typeIds: number[]][];
}

const { python, missing } = await findPython();
const count = Number(process.env.SESD_TOKENIZER_TEXTS ?? 1000);
const seed = Number(process.env.SESD_TOKENIZER_SEED ?? 1);

test("random texts: the ids and types of Python's tokenizers", { skip: missing ?? false }, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'sesd-tokenizers-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  await runPython(python!, 'test/parity/tokenizer_ids.py', [String(count), String(seed), folder]);

  let given: Texts | undefined;
  let compared = 0;
  for await (const line of createInterface({ input: createReadStream(join(folder, 'encodings.jsonl')) })) {
    if (given === undefined) given = JSON.parse(line) as Texts;
    else {
      await t.test(JSON.parse(line).tokenizer, () => compare(JSON.parse(line), given!, folder));
      compared++;
    }
  }
  assert.ok(compared > 40, `${compared} tokenizers`);
});

async function compare(expected: Encodings, { texts, every }: Texts, folder: string): Promise<void> {
  const tokenizer = await loadTokenizer(join(folder, expected.tokenizer, 'tokenizer.json'));
  const different: string[] = [];
  const check = (text: string, pair: string | undefined, ids: number[], typeIds?: number[]) => {
    const found = tokenizer.encode(text, pair, { maxLength: 2 ** 30 });
    const same =
      ids.join() === found.ids.join() && (typeIds === undefined || typeIds.join() === found.typeIds.join());
    if (!same) different.push(JSON.stringify([text, pair, ids, [...found.ids]]).slice(0, 2000));
  };
  for (const [index, ids] of expected.texts.entries()) check(texts[index]!, undefined, ids);
  for (const [index, ids] of expected.every.entries()) check(every[index]!, undefined, ids);
  for (const [index, [ids, typeIds]] of expected.pairs.entries()) {
    check(texts[10 * index]!, texts[(10 * index + 1) % texts.length], ids, typeIds);
  }
  assert.equal(
    different.length,
    0,
    `${different.length} differ; the first:\n${different.slice(0, 3).join('\n')}`,
  );
}
