import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

/** What generate.py wrote, one object a line: the input, and the metrics of it. */
export function cases<Input>(name: string): (Input & { expected: object })[] {
  const file = new URL(`./fixtures/${name}.jsonl`, import.meta.url);
  return readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
}

/** Numbers agree to a relative 1e-6 (logits are float32); everything else exactly. */
export function assertClose(found: unknown, expected: unknown, path: string): void {
  if (typeof expected === 'number') {
    assert.equal(typeof found, 'number', path);
    const error = Math.abs((found as number) - expected);
    assert.ok(
      error <= 1e-6 * Math.max(1, Math.abs(expected)),
      `${path}: expected ${expected}, found ${found}`,
    );
    return;
  }
  assert.deepEqual(Object.keys(found as object).sort(), Object.keys(expected as object).sort(), path);
  for (const [key, value] of Object.entries(expected as object)) {
    assertClose((found as Record<string, unknown>)[key], value, `${path}.${key}`);
  }
}
