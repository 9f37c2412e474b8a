import { SesdError } from '../errors.ts';
import type { Pipeline } from './pipeline.ts';
import { specialTokens, type Template } from './template.ts';
import { longestFirst, type Truncate, truncate } from './truncation.ts';

/** A file of the tokenizer, to be written beside an exported model. */
export interface TokenizerFile {
  name: string;
  content: Uint8Array;
}

export interface EncodeOptions {
  /** The most tokens of an encoded example, special tokens among them. */
  maxLength: number;
  /** Which tokens of a longer text are kept. Default head. */
  truncate?: Truncate;
}

export interface Encoded {
  ids: Int32Array;
  /** Token types, e.g. 0 for the first text and 1 for the second. */
  typeIds: Int32Array;
}

/** What a tokenizer is made of; see load.ts. */
export interface TokenizerParts {
  pipeline: Pipeline;
  template: Template;
  /** The file it came from, for messages. */
  file: string;
  /** What is written where a batch has no token. */
  padId: number;
  files: readonly TokenizerFile[];
}

/**
 * Turns texts and pairs into token ids, as Python's `tokenizers` does for the same tokenizer.json; what that file
 * says of truncation and padding is not used.
 */
export class Tokenizer {
  readonly padId: number;
  /** One more than the largest token id. */
  readonly vocabularySize: number;
  /** To be written beside an exported model: tokenizer.json, tokenizer_config.json and what else there was. */
  readonly files: readonly TokenizerFile[];
  readonly #file: string;
  readonly #ids: (text: string) => readonly number[];
  readonly #template: Template;

  constructor({ pipeline, template, file, padId, files }: TokenizerParts) {
    this.padId = padId;
    this.files = files;
    this.#file = file;
    this.#template = template;
    this.#ids = pipeline.encode;
    this.vocabularySize = pipeline.vocabularySize;
  }

  /**
   * One encoded example. Of a pair that is too long the longer text gives way first (see longestFirst); each text
   * is then cut as `truncate` says.
   * @param pair the second text; an empty one is still a second text
   * @throws SesdError SESD_USAGE when maxLength leaves no room for a token beside the special ones;
   *   SESD_BAD_TOKENIZER when a character is unknown and the vocabulary has no token for that
   */
  encode(
    text: string,
    pair: string | undefined,
    { maxLength, truncate: which = 'head' }: EncodeOptions,
  ): Encoded {
    const pieces = pair === undefined ? this.#template.single : this.#template.pair;
    const room = maxLength - specialTokens(pieces);
    if (room < (pair === undefined ? 1 : 2)) throw noRoom(maxLength, maxLength - room, pair !== undefined);

    let first: readonly number[] = this.#ids(text);
    let second: readonly number[] = pair === undefined ? [] : this.#ids(pair);
    const [keepFirst, keepSecond] = longestFirst(first.length, second.length, room);
    first = truncate(first, keepFirst, which);
    second = truncate(second, keepSecond, which);

    const length = first.length + second.length + maxLength - room;
    const ids = new Int32Array(length);
    const typeIds = new Int32Array(length);
    let end = 0;
    for (const piece of pieces) {
      const tokens = 'ids' in piece ? piece.ids : piece.text === 'A' ? first : second;
      ids.set(tokens, end);
      typeIds.fill(piece.typeId, end, end + tokens.length);
      end += tokens.length;
    }
    return { ids, typeIds };
  }

  /**
   * Checks that a model has an embedding for every token.
   * @param rows of the model's embedding table
   * @throws SesdError SESD_BAD_TOKENIZER when there are more tokens than rows
   */
  checkFits(rows: number): void {
    if (this.vocabularySize <= rows) return;
    throw new SesdError(
      'SESD_BAD_TOKENIZER',
      `${this.#file}: ${this.vocabularySize} tokens, but the model's embedding table has ${rows} rows`,
      { hint: 'The tokenizer belongs to another model. Give the right one with --tokenizer.' },
    );
  }
}

function noRoom(maxLength: number, special: number, pair: boolean): SesdError {
  const [what, least] = pair ? ['a pair of texts', special + 2] : ['a text', special + 1];
  return new SesdError(
    'SESD_USAGE',
    `--max-length ${maxLength}: ${what} needs at least ${least} tokens, ${special} of them special`,
    { hint: `Give --max-length ${least} or more.` },
  );
}
