import type { Options } from 'yargs';
import type { Field } from '../config/fields.ts';
import { nearestName } from '../config/nearest.ts';
import { SesdError } from '../errors.ts';

/** What yargs parsed: every flag of the command line under its kebab-case and camelCase names. */
export type Parsed = Readonly<Record<string, unknown>>;

/** What is in yargs' result beside the flags of the command. */
const notFlags = new Set(['_', '$0', 'help', 'h', 'version']);

/**
 * yargs' declarations of the flags of some fields. Types and defaults are left to the schema: yargs passes on
 * text as it was typed, and nothing for flags that were not given.
 */
export function flagsOf(fields: readonly Field[]): Record<string, Options> {
  return Object.fromEntries(
    fields.map((field) => [
      field.flag.slice(2),
      {
        type: field.kind === 'boolean' ? ('boolean' as const) : ('string' as const),
        array: field.many ?? false,
        group: `${field.group}:`,
        describe: describe(field),
      },
    ]),
  );
}

function describe({ kind, description, choices, flag, default: fallback }: Field): string {
  if (kind === 'boolean') {
    return fallback === true ? `${description} (on; --no-${flag.slice(2)} turns it off)` : description;
  }
  const listed = choices?.every((word) => description.includes(word)) ?? true;
  const what = listed ? description : `${description}: ${choices?.join(', ')}`;
  return fallback === undefined ? what : `${what} (default: ${fallback})`;
}

/**
 * The values of the fields that were given, under their camelCase names.
 *
 * @param args The command line as it was typed.
 * @param words Words that are neither flags nor positional arguments of the command.
 * @throws SesdError SESD_USAGE for a flag or word that is not known, naming the nearest one, and for a flag without
 *   its value.
 */
export function givenValues(
  parsed: Parsed,
  args: readonly string[],
  words: readonly string[],
  fields: readonly Field[],
): Record<string, unknown> {
  const byFlag = new Map(fields.map((field) => [field.flag.slice(2), field]));
  const names = new Set(fields.map(({ name }) => name));
  const values: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(parsed)) {
    if (notFlags.has(name) || value === undefined) continue;
    const field = byFlag.get(name);
    if (field === undefined) {
      // yargs gives every flag in camelCase too.
      if (!names.has(name)) throw unknownFlag(name, value, fields);
      continue;
    }
    if (value === '' && field.kind !== 'boolean') {
      throw new SesdError('SESD_USAGE', `${field.flag} needs a value: ${field.expects}.`);
    }
    values[field.name] = field.kind === 'boolean' ? (typedValue(field, args) ?? value) : value;
  }
  if (words[0] !== undefined) throw surplusWord(words[0], fields);
  return values;
}

/** What follows a flag's `=`. yargs takes every value of a boolean flag but "true" for false. */
function typedValue({ flag }: Field, args: readonly string[]): string | undefined {
  return args.findLast((arg) => arg.startsWith(`${flag}=`))?.slice(flag.length + 1);
}

function unknownFlag(name: string, value: unknown, fields: readonly Field[]): SesdError {
  const dashes = name.length === 1 ? '-' : value === false ? '--no-' : '--';
  const known = fields.filter(({ kind }) => value !== false || kind === 'boolean').map(({ flag }) => flag);
  const near = name.length === 1 ? undefined : nearestName(`--${name}`, [...known, '--help', '--version']);
  return new SesdError('SESD_USAGE', `${dashes}${name} is not a flag.`, {
    hint: near ? `Did you mean ${near.replace('--', dashes)}?` : 'See --help for the flags there are.',
  });
}

function surplusWord(word: string, fields: readonly Field[]): SesdError {
  const near = nearestName(
    word,
    fields.map(({ flag }) => flag.slice(2)),
  );
  return new SesdError('SESD_USAGE', `"${word}" was not expected here.`, {
    hint: near === undefined ? 'See --help for how this command is called.' : `Did you mean --${near}?`,
  });
}
