import { readFile } from 'node:fs/promises';
import { gunzipSync } from 'node:zlib';
import type { Truncate } from '../../src/tokenizer/truncation.ts';

export interface TokenizerJson {
  model: { vocab: Record<string, number>; merges?: [string, string][] };
}

/** What Python's tokenizers made of a text or pair. */
export interface StoredEncoding {
  tokenizer: string;
  text: string;
  pair?: string;
  maxLength: number;
  truncate: Truncate;
  ids: number[];
  typeIds: number[];
}

/** The small tokenizers generate.py trained, by name, and what they encode. */
export async function readStoredEncodings(): Promise<{
  jsons: Map<string, TokenizerJson>;
  encodings: StoredEncoding[];
}> {
  const file = new URL('./fixtures/encodings.jsonl.gz', import.meta.url);
  const jsons = new Map<string, TokenizerJson>();
  const encodings: StoredEncoding[] = [];
  for (const line of gunzipSync(await readFile(file))
    .toString()
    .trim()
    .split('\n')) {
    const entry = JSON.parse(line);
    if (entry.json) jsons.set(entry.tokenizer, entry.json);
    else encodings.push(entry);
  }
  return { jsons, encodings };
}
