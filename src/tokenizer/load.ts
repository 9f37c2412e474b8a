import { readFile, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { SesdError } from '../errors.ts';
import { Tokenizer, type TokenizerFile, type TokenizerJson } from './tokenizer.ts';
import { type BertTokenizerConfig, wordPieceJson } from './vocab-txt.ts';

/** What of tokenizer_config.json and special_tokens_map.json is read; a token is its text or an object with it. */
interface TokenizerConfig extends BertTokenizerConfig {
  pad_token?: string | { content: string } | null;
}

const knownModels = ['WordPiece', 'BPE', 'Unigram'];

/**
 * Loads a model's tokenizer.
 * @param path a folder with tokenizer.json or vocab.txt, or such a file. tokenizer_config.json and
 *   special_tokens_map.json are read from beside it when they are there.
 * @throws SesdError SESD_BAD_TOKENIZER naming the files that were looked for, or what is wrong in one
 */
export async function loadTokenizer(path: string): Promise<Tokenizer> {
  const file = await find(path);
  const beside = (name: string) => join(dirname(file), name);
  const content = await read(file);
  const configFile = await readIfThere(beside('tokenizer_config.json'));
  const mapFile = await readIfThere(beside('special_tokens_map.json'));
  const config: TokenizerConfig = configFile ? parse(configFile, beside('tokenizer_config.json')) : {};
  const map: TokenizerConfig = mapFile ? parse(mapFile, beside('special_tokens_map.json')) : {};

  const fromVocabulary = file.endsWith('.txt');
  const json = fromVocabulary
    ? wordPieceJson(decode(content, file), config, file)
    : checked(parse<TokenizerJson>(content, file), file);
  const vocabulary = fromVocabulary ? content : await readIfThere(beside('vocab.txt'));
  await setImmediate(); // parsing and building each take some 40 ms for 30,000 tokens; the event loop runs between
  const padToken = tokenText(config.pad_token) ?? tokenText(map.pad_token);

  const files: TokenizerFile[] = [
    { name: 'tokenizer.json', content: fromVocabulary ? encode(json) : content },
    { name: 'tokenizer_config.json', content: configFile ?? encode(defaultConfig(json)) },
  ];
  if (mapFile) files.push({ name: 'special_tokens_map.json', content: mapFile });
  if (vocabulary) files.push({ name: 'vocab.txt', content: vocabulary });
  const size = vocabularySize(json);
  await setImmediate();
  return new Tokenizer({ json, file, padId: padIdOf(json, padToken), vocabularySize: size, files });
}

async function find(path: string): Promise<string> {
  const found = await stat(path).catch(() => undefined);
  if (!found) throw bad(`${path}: no such file or folder`);
  if (!found.isDirectory()) {
    if (/\.(json|txt)$/.test(path)) return path;
    throw bad(`${path}: expected a tokenizer.json or vocab.txt, found ${basename(path)}`);
  }
  for (const name of ['tokenizer.json', 'vocab.txt']) {
    const file = join(path, name);
    if (await stat(file).catch(() => undefined)) return file;
  }
  throw bad(`${path}: no tokenizer; looked for tokenizer.json and vocab.txt`);
}

function checked(json: TokenizerJson, file: string): TokenizerJson {
  const model = json?.model;
  if (
    typeof model !== 'object' ||
    model === null ||
    typeof model.vocab !== 'object' ||
    model.vocab === null
  ) {
    throw bad(`${file}: expected a tokenizer.json, found no model.vocab in it`);
  }
  if (model.type !== undefined && !knownModels.includes(model.type)) {
    throw bad(`${file}: model type "${model.type}" is not supported; known are ${knownModels.join(', ')}`);
  }
  return json;
}

function vocabularySize({ model, added_tokens }: TokenizerJson): number {
  let largest = -1;
  if (Array.isArray(model.vocab)) largest = model.vocab.length - 1;
  else for (const token in model.vocab) largest = Math.max(largest, model.vocab[token]!);
  for (const { id } of added_tokens ?? []) largest = Math.max(largest, id);
  return largest + 1;
}

/** The padding token's id: the one named, else tokenizer.json's, else the usual ones; 0 when there is none. */
function padIdOf(json: TokenizerJson, padToken: string | undefined): number {
  const { vocab } = json.model;
  const idOf = (token: string): number | undefined => {
    const added = json.added_tokens?.find(({ content }) => content === token);
    if (added) return added.id;
    if (!Array.isArray(vocab)) return Object.hasOwn(vocab, token) ? vocab[token] : undefined;
    const index = vocab.findIndex(([content]) => content === token);
    return index < 0 ? undefined : index;
  };
  const padding = json.padding as { pad_id?: number } | null | undefined;
  const named = padToken === undefined ? undefined : idOf(padToken);
  return named ?? padding?.pad_id ?? idOf('[PAD]') ?? idOf('<pad>') ?? 0;
}

function tokenText(token: TokenizerConfig['pad_token']): string | undefined {
  return typeof token === 'object' ? token?.content : token;
}

/** What libraries that read the exported folder need beside tokenizer.json. */
function defaultConfig(json: TokenizerJson): Record<string, unknown> {
  if (json.model.type !== 'WordPiece') return { tokenizer_class: 'PreTrainedTokenizerFast' };
  const { lowercase } = (json.normalizer ?? {}) as { lowercase?: boolean };
  return {
    tokenizer_class: 'BertTokenizer',
    ...(lowercase === undefined ? {} : { do_lower_case: lowercase }),
    unk_token: '[UNK]',
    sep_token: '[SEP]',
    pad_token: '[PAD]',
    cls_token: '[CLS]',
    mask_token: '[MASK]',
  };
}

async function read(file: string): Promise<Uint8Array> {
  try {
    return await readFile(file);
  } catch (cause) {
    throw bad(`${file}: cannot be read (${(cause as Error).message})`, cause);
  }
}

async function readIfThere(file: string): Promise<Uint8Array | undefined> {
  return (await stat(file).catch(() => undefined)) ? read(file) : undefined;
}

function parse<T>(content: Uint8Array, file: string): T {
  try {
    return JSON.parse(decode(content, file));
  } catch (cause) {
    if (cause instanceof SesdError) throw cause;
    throw bad(`${file}: not valid JSON: ${(cause as Error).message}`, cause);
  }
}

function decode(content: Uint8Array, file: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(content);
  } catch (cause) {
    throw bad(`${file}: not valid UTF-8`, cause);
  }
}

function encode(value: unknown): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(value)}\n`);
}

function bad(message: string, cause?: unknown): SesdError {
  return new SesdError('SESD_BAD_TOKENIZER', message, {
    hint: "Give the model's tokenizer.json or vocab.txt, or the folder that holds it, with --tokenizer.",
    cause,
  });
}
