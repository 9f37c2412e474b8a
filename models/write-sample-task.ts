/**
 * Writes the sample task as train.jsonl, dev.jsonl and test.jsonl, one {"text", "label"} a line:
 *
 *   node --import tsx models/write-sample-task.ts DIR [SEED]
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sampleTask } from '../src/data/tasks/wordnet-topics.ts';

const [folder, seed = '42'] = process.argv.slice(2);
if (folder === undefined || !/^\d+$/.test(seed)) {
  console.error('usage: node --import tsx models/write-sample-task.ts DIR [SEED]');
  process.exit(2);
}
await mkdir(folder, { recursive: true });
const splits = await sampleTask.load({ seed: Number(seed) });
for (const split of ['train', 'dev', 'test'] as const) {
  const examples = splits[split];
  const lines = examples.map(({ text, label }) => `${JSON.stringify({ text, label })}\n`);
  await writeFile(join(folder, `${split}.jsonl`), lines.join(''));
  console.log(`${join(folder, `${split}.jsonl`)}: ${examples.length} examples`);
}
