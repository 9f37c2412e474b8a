import { z } from 'zod';

/** What a field is, beyond its zod schema: enough to print help and to declare a command-line flag. */
export interface FieldInfo {
  kind: 'text' | 'integer' | 'number' | 'boolean' | 'choice';
  /** Help text: one line, no full stop. */
  description: string;
  /** Heading the help shows the flag under. */
  group: string;
  /** Placeholder of the flag's value in the help: FILE, N, …; none for booleans. */
  valueName?: string;
  /** The values of a choice. */
  choices?: readonly string[];
  /** Accepted values in words, for error messages: "a whole number of at least 1". */
  expects: string;
  /** Belongs to one invocation, not to the run: not written to config.yaml. */
  transient?: boolean;
  /** May differ when a run is resumed, for it changes no weights. */
  resumable?: boolean;
  /** Names a file or folder. */
  path?: boolean;
  /** Takes any number of values. */
  many?: boolean;
}

/** Facts of every field made here, by its schema. */
export const fieldInfo = z.registry<FieldInfo>();

type Common = Pick<FieldInfo, 'description' | 'group' | 'valueName' | 'transient' | 'resumable' | 'path'>;

/** Registers the facts on a schema. zod's own wrappers (default, optional) make new schemas: call this last. */
export function field<S extends z.ZodType>(schema: S, info: FieldInfo): S {
  fieldInfo.add(schema as z.ZodType, info);
  return schema;
}

/** Numbers written as text, as flags are, count as numbers. */
function numeric<S extends z.ZodType>(schema: S) {
  return z.preprocess(
    (value) => (typeof value === 'string' && value.trim() !== '' ? Number(value) : value),
    schema,
  );
}

export interface Range {
  min?: number;
  max?: number;
  /** Greater than, not at least. */
  above?: number;
  /** Less than, not at most. */
  below?: number;
}

function describeRange(noun: string, { min, max, above, below }: Range): string {
  const low = min !== undefined ? `at least ${min}` : above !== undefined ? `above ${above}` : '';
  const high = max !== undefined ? `at most ${max}` : below !== undefined ? `below ${below}` : '';
  return low || high ? `${noun} ${[low, high].filter(Boolean).join(' and ')}` : noun;
}

function bounded(schema: z.ZodNumber, range: Range): z.ZodNumber {
  let result = schema;
  if (range.min !== undefined) result = result.min(range.min);
  if (range.max !== undefined) result = result.max(range.max);
  if (range.above !== undefined) result = result.gt(range.above);
  if (range.below !== undefined) result = result.lt(range.below);
  return result;
}

export function integer(range: Range & { default: number }, common: Common) {
  const info = { kind: 'integer' as const, valueName: 'N', expects: describeRange('a whole number', range) };
  return field(numeric(bounded(z.int(), range)).default(range.default), { ...info, ...common });
}

export function optionalInteger(range: Range, common: Common) {
  const info = { kind: 'integer' as const, valueName: 'N', expects: describeRange('a whole number', range) };
  return field(numeric(bounded(z.int(), range)).optional(), { ...info, ...common });
}

export function number(range: Range & { default: number }, common: Common) {
  const info = { kind: 'number' as const, valueName: 'X', expects: describeRange('a number', range) };
  return field(numeric(bounded(z.number(), range)).default(range.default), { ...info, ...common });
}

/** A whole number or one of some words: `--window 3`, `--window all`. */
export function integerOr<const W extends string>(
  words: readonly [W, ...W[]],
  range: Range & { default: number | W },
  common: Common,
) {
  const schema = numericOrWord(words, bounded(z.int(), range)).default(range.default as never);
  const quoted = words.map((word) => `"${word}"`).join(' or ');
  const expects = `${describeRange('a whole number', range)}, or ${quoted}`;
  return field(schema, { kind: 'text', valueName: `N|${words.join('|')}`, expects, ...common });
}

/** A number or one of some words: `--max-grad-norm 1`, `--max-grad-norm none`. */
export function numberOr<const W extends string>(
  words: readonly [W, ...W[]],
  range: Range & { default: number | W },
  common: Common,
) {
  const schema = numericOrWord(words, bounded(z.number(), range)).default(range.default as never);
  const quoted = words.map((word) => `"${word}"`).join(' or ');
  const expects = `${describeRange('a number', range)}, or ${quoted}`;
  return field(schema, { kind: 'text', valueName: `X|${words.join('|')}`, expects, ...common });
}

/** A step of the run, counted from 1, or a fraction of it: `--teacher-start 100`, `--teacher-start 0.5`. */
export function stepOrFraction(range: { default: number }, common: Common) {
  const schema = z.union([z.int().min(1), z.number().min(0).lt(1)]);
  return field(numeric(schema).default(range.default), {
    kind: 'number',
    valueName: 'N|X',
    expects: 'a step from 1 on, or a fraction of at least 0 and below 1',
    ...common,
  });
}

function numericOrWord<const W extends string>(words: readonly [W, ...W[]], schema: z.ZodNumber) {
  const isWord = (value: unknown): value is W => words.includes(value as W);
  return z
    .union([z.enum(words), numeric(schema)])
    .transform((value) => (isWord(value) ? value : (value as number)));
}

export function choice<const W extends string>(
  words: readonly [W, ...W[]],
  options: { default: NoInfer<W> },
  common: Common,
) {
  const info = { kind: 'choice' as const, choices: words, expects: `one of ${words.join(', ')}` };
  return field(z.enum(words).default(options.default as never), {
    ...info,
    valueName: words.join('|'),
    ...common,
  });
}

export function optionalChoice<const W extends string>(words: readonly [W, ...W[]], common: Common) {
  const info = { kind: 'choice' as const, choices: words, expects: `one of ${words.join(', ')}` };
  return field(z.enum(words).optional(), { ...info, valueName: words.join('|'), ...common });
}

export function text(options: { default: string }, common: Common) {
  const info = { kind: 'text' as const, valueName: 'TEXT', expects: 'text' };
  return field(z.string().min(1).default(options.default), { ...info, ...common });
}

export function optionalText(common: Common) {
  const info = { kind: 'text' as const, valueName: 'TEXT', expects: common.path ? 'a path' : 'text' };
  return field(z.string().min(1).optional(), { ...info, ...common });
}

/** A regular expression as JavaScript reads it, without slashes around it. */
export function optionalPattern(common: Common) {
  const schema = z.string().min(1).refine(isPattern).optional();
  const expects = 'a regular expression (a|b for a or b)';
  return field(schema, { kind: 'text', valueName: 'REGEX', expects, ...common });
}

function isPattern(text: string): boolean {
  try {
    new RegExp(text);
    return true;
  } catch {
    return false;
  }
}

/** A path, or a fraction of another file: `--dev dev.csv`, `--dev 0.1`. */
export function optionalPathOrFraction(common: Common) {
  const fraction = z.number().gt(0).lt(1);
  const schema = z.preprocess(
    (value) => (typeof value === 'string' && /^[\d.]+(e-?\d+)?$/i.test(value) ? Number(value) : value),
    z.union([fraction, z.string().min(1)]),
  );
  const expects = 'a file, or a fraction between 0 and 1';
  return field(schema.optional(), {
    kind: 'text',
    expects,
    valueName: 'FILE|FRACTION',
    ...common,
    path: true,
  });
}

export function boolean(options: { default: boolean }, common: Common) {
  const schema = z.preprocess(
    (value) => (value === 'true' ? true : value === 'false' ? false : value),
    z.boolean(),
  );
  return field(schema.default(options.default), { kind: 'boolean', expects: 'true or false', ...common });
}

/** A field as the command line and the documentation show it. */
export interface Field extends FieldInfo {
  /** camelCase, as in the API and YAML. */
  name: string;
  /** kebab-case with its dashes: `--max-length`. */
  flag: string;
  default: unknown;
}

/** The fields of a schema in order of declaration. Throws when one was made without the functions of this file. */
export function describeFields(schema: z.ZodObject): Field[] {
  return Object.entries(schema.shape).map(([name, fieldSchema]) => {
    const info = fieldInfo.get(fieldSchema as z.ZodType);
    if (!info) throw new Error(`The field ${name} has no description.`);
    const fallback = (fieldSchema as z.ZodType).safeParse(undefined);
    return { ...info, name, flag: flagOf(name), default: fallback.success ? fallback.data : undefined };
  });
}

/** `maxLength` → `--max-length`. */
export function flagOf(name: string): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}
