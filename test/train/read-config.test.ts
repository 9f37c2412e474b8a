import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { readConfig } from '../../src/train/read-config.ts';

let folder = '';
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sesd-config-'));
});
after(() => rm(folder, { recursive: true }));

async function read(text: string) {
  await writeFile(join(folder, 'config.json'), text);
  return readConfig(folder);
}
const refused = (text: string, message: RegExp) =>
  assert.rejects(read(text), { code: 'SESD_BAD_MODEL', message });

test('what is read has its type, the rest is kept', async () => {
  assert.equal(await readConfig(join(folder, 'none')), undefined);
  const config = await read('{"id2label": {"0": "a"}, "problem_type": null, "layers": [1]}');
  assert.deepEqual(config?.id2label, { 0: 'a' });
  assert.equal(config?.problem_type, undefined);
  assert.deepEqual(config?.layers, [1]);
  await refused('{', /config\.json is not valid JSON/);
  await refused('[]', /config\.json: expected a JSON object$/);
  await refused('null', /expected a JSON object$/);
  await refused('{"id2label": "ab"}', /"id2label": .*expected record/);
  await refused('{"id2label": {"0": {}}}', /"id2label\.0": .*expected string/);
  await refused('{"sesd_train": {"maxLength": 1e9999, "truncate": "head"}}', /"sesd_train\.maxLength"/);
  await refused(`{"a": ${'['.repeat(100_000)}${']'.repeat(100_000)}}`, /it is nested too deep$/);
});
