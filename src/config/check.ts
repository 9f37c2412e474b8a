import type { z } from 'zod';
import { SesdError } from '../errors.ts';
import { fieldInfo, flagOf } from './fields.ts';
import { nearestName } from './nearest.ts';

/**
 * Checks options one by one against a schema made of fields; those that are absent or undefined stay absent.
 *
 * @param nameOf How an error message names an option; as a flag when absent.
 * @throws SesdError SESD_USAGE naming the option, what was expected and what was found.
 */
export function checkOptions<S extends z.ZodObject>(
  schema: S,
  values: object,
  nameOf: (name: string) => string = flagOf,
): Partial<z.output<S>> {
  const checked: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(values)) {
    if (value === undefined) continue;
    const field = (schema.shape as Record<string, z.ZodType>)[name];
    if (!field) {
      const near = nearestName(name, Object.keys(schema.shape));
      throw new SesdError('SESD_USAGE', `${nameOf(name)} is not an option.`, {
        ...(near && { hint: `Did you mean ${nameOf(near)}?` }),
      });
    }
    const parsed = field.safeParse(value);
    if (!parsed.success) throw wrongValue(nameOf(name), field, value);
    checked[name] = parsed.data;
  }
  return checked as Partial<z.output<S>>;
}

/** The options of a schema with every default filled in. @throws SesdError as checkOptions does */
export function resolveOptions<S extends z.ZodObject>(schema: S, values: object): z.output<S> {
  return schema.parse(checkOptions(schema, values));
}

function wrongValue(name: string, schema: z.ZodType, value: unknown): SesdError {
  const info = fieldInfo.get(schema);
  const near = typeof value === 'string' ? nearestName(value, info?.choices ?? []) : undefined;
  return new SesdError('SESD_USAGE', `${name}: expected ${info?.expects}, found ${show(value)}.`, {
    ...(near && { hint: `Did you mean ${near}?` }),
  });
}

function show(value: unknown): string {
  return typeof value === 'object'
    ? JSON.stringify(value)
    : typeof value === 'string'
      ? `"${value}"`
      : `${value}`;
}
