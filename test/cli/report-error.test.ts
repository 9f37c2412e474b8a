import assert from 'node:assert/strict';
import { test } from 'node:test';
import { reportError } from '../../src/cli/report-error.ts';
import type { OutputStream } from '../../src/cli/streams.ts';
import { SesdError } from '../../src/errors.ts';

function report(error: unknown): { code: number; text: string } {
  const lines: string[] = [];
  const code = reportError(error, { line: (text: string) => lines.push(text) } as unknown as OutputStream);
  return { code, text: lines.join('\n') };
}

test('what a file calls its parts does not reach the terminal as commands', () => {
  const name = 'w\u001b[2J\u0007\u009b31m\u202etxt\r';
  const { code, text } = report(
    new SesdError('SESD_BAD_MODEL', `tensor '${name}' is\n\tdamaged`, { hint: 'ž 🐎' }),
  );
  assert.equal(code, 2);
  assert.equal(text, "sesd-train: tensor 'w\ufffd[2J\ufffd\ufffd31m\ufffdtxt\ufffd' is\n\tdamaged. ž 🐎");
});

test('an error we should have foreseen is called one', () => {
  assert.match(report(new TypeError('x')).text, /^sesd-train: x\.\nThis is a bug in sesd-train/);
});
