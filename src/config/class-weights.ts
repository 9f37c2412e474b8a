import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { SesdError } from '../errors.ts';
import { type FieldInfo, field } from './fields.ts';

const words =
  '"balanced", or weights above 0 by label as JSON, like {"spam": 3, "ham": 1}, or a file with them';

/** `--class-weights balanced`, `--class-weights '{"spam": 3}'`, or a file that holds such JSON, which is read here. */
export function optionalClassWeights(common: Pick<FieldInfo, 'description' | 'group'>) {
  const weights = z.record(z.string(), z.number().gt(0));
  const schema = z.preprocess(
    (value) => (typeof value === 'string' && value !== 'balanced' ? parse(value) : value),
    z.union([z.literal('balanced'), weights]),
  );
  return field(schema.optional(), {
    kind: 'text',
    valueName: 'balanced|JSON|FILE',
    expects: words,
    ...common,
  });
}

/** @throws SesdError SESD_USAGE when the text is neither JSON nor a file that holds some */
function parse(value: string): unknown {
  const inline = value.trimStart().startsWith('{');
  try {
    return JSON.parse(inline ? value : readFileSync(value, 'utf8'));
  } catch (cause) {
    const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    const reason = missing ? 'no such file' : (cause as Error).message;
    throw new SesdError('SESD_USAGE', `--class-weights ${value}: ${reason}.`, {
      hint: `Expected are ${words}.`,
      cause,
    });
  }
}
