import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { SesdError } from '../errors.ts';
import type { ModelConfig } from './model-provider.ts';

const absent = <T extends z.ZodType>(schema: T) => schema.nullish().transform((value) => value ?? undefined);

const configSchema = z.object({
  id2label: absent(z.record(z.string(), z.string())),
  problem_type: absent(z.string()),
  sesd_train: absent(
    z.object({
      maxLength: z.int().positive(),
      truncate: z.enum(['head', 'tail', 'head-tail']),
    }),
  ),
});

/** The config.json of a folder, if there is one. @throws SesdError SESD_BAD_MODEL */
export async function readConfig(folder: string): Promise<ModelConfig | undefined> {
  const path = join(folder, 'config.json');
  let text: string;
  try {
    if (!(await stat(path)).isFile()) throw new Error('not a file'); // reading a named pipe would never end
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new SesdError('SESD_BAD_MODEL', `${path}: ${(error as Error).message}`, { cause: error });
  }
  try {
    return checkedConfig(JSON.parse(text), path);
  } catch (cause) {
    if (cause instanceof SesdError) throw cause;
    throw new SesdError('SESD_BAD_MODEL', `${path} is not valid JSON: ${(cause as Error).message}`, {
      hint: 'Download config.json again, or remove it.',
      cause,
    });
  }
}

/** Holds what is read of a config.json to its type; the rest is only copied. */
function checkedConfig(value: unknown, path: string): ModelConfig {
  const fail = (what: string) =>
    new SesdError('SESD_BAD_MODEL', `${path}: ${what}`, {
      hint: 'Download config.json again, or remove it.',
    });
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw fail('expected a JSON object');
  }
  const { id2label, problem_type, sesd_train } = value as Record<string, unknown>;
  const checked = configSchema.safeParse({ id2label, problem_type, sesd_train });
  if (!checked.success) {
    const { path: at, message } = checked.error.issues[0]!;
    throw fail(`"${at.join('.')}": ${message}`);
  }
  try {
    JSON.stringify(value); // it is written beside the trained model
  } catch {
    throw fail('it is nested too deep');
  }
  return { ...value, ...checked.data } as ModelConfig;
}
