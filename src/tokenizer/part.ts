import { SesdError } from '../errors.ts';

/** Nesting of parts that is still read, as in the Rust library's JSON reader. */
const deepest = 128;

/** A part of a tokenizer.json, read setting by setting; what is not as it must be is an error that names it. */
export class Part {
  readonly file: string;
  /** Where it is in the file, e.g. `normalizer.normalizers[1]`. */
  readonly path: string;
  readonly value: Readonly<Record<string, unknown>>;
  readonly #depth: number;

  /** @throws SesdError SESD_BAD_TOKENIZER when the value is no object */
  constructor(value: unknown, path: string, file: string, depth = 0) {
    if (!isObject(value)) throw bad(file, path, `expected an object, found ${describe(value)}`);
    if (depth > deepest) throw bad(file, path, `parts nested more than ${deepest} deep`);
    this.file = file;
    this.path = path;
    this.value = value;
    this.#depth = depth;
  }

  /** Whether the setting is there and not null. */
  has(key: string): boolean {
    return this.get(key) !== undefined;
  }

  /** A setting as it is; undefined when it is null or absent. */
  get(key: string): unknown {
    return Object.hasOwn(this.value, key) ? (this.value[key] ?? undefined) : undefined;
  }

  /** @param fallback when the setting is absent or null; without one it must be there */
  string(key: string, fallback?: string): string {
    const value = this.get(key) ?? fallback;
    if (typeof value !== 'string') throw this.wrong(key, 'text', value);
    return value;
  }

  /** @param fallback as for string */
  boolean(key: string, fallback?: boolean): boolean {
    const value = this.get(key) ?? fallback;
    if (typeof value !== 'boolean') throw this.wrong(key, 'true or false', value);
    return value;
  }

  /** A whole number from 0. @param fallback as for string */
  count(key: string, fallback?: number): number {
    const value = this.get(key) ?? fallback;
    if (!isCount(value)) throw this.wrong(key, 'a whole number from 0', value);
    return value;
  }

  /** A part in this one. */
  part(key: string): Part {
    return new Part(this.get(key), this.#at(key), this.file, this.#depth + 1);
  }

  /** A list of parts; an absent one is empty. */
  parts(key: string): Part[] {
    return this.list(key).map(
      (value, index) => new Part(value, `${this.#at(key)}[${index}]`, this.file, this.#depth + 1),
    );
  }

  /** A list; an absent one is empty. */
  list(key: string): unknown[] {
    const value = this.get(key) ?? [];
    if (!Array.isArray(value)) throw this.wrong(key, 'a list', value);
    return value;
  }

  /** The error of a setting that is not what it must be. */
  wrong(key: string, expected: string, found: unknown): SesdError {
    return bad(this.file, this.#at(key), `expected ${expected}, found ${describe(found)}`);
  }

  /** The error of a part that cannot be used. @param found what is wrong, as it follows "file: path: " */
  bad(found: string, cause?: unknown): SesdError {
    return bad(this.file, this.path, found, cause);
  }

  #at(key: string): string {
    return this.path === '' ? key : `${this.path}.${key}`;
  }
}

/** Whether a value is a whole number from 0 that is exact. */
export function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A value of a JSON file, short enough for a message. */
export function describe(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (isObject(value)) return 'an object';
  const text = JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

function bad(file: string, path: string, found: string, cause?: unknown): SesdError {
  return new SesdError('SESD_BAD_TOKENIZER', `${file}: ${path === '' ? '' : `${path}: `}${found}`, {
    hint: 'Give a tokenizer.json that Hugging Face tokenizers wrote, or a vocab.txt, with --tokenizer.',
    cause,
  });
}
