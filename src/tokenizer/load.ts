import { readFile, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { SesdError } from '../errors.ts';
import { isObject, Part } from './part.ts';
import { createPipeline, type Pipeline } from './pipeline.ts';
import { type Template, templateOf } from './template.ts';
import { Tokenizer, type TokenizerFile } from './tokenizer.ts';
import { byteLevelBpeJson } from './vocab-merges.ts';
import { wordPieceJson } from './vocab-txt.ts';

/** Files a tokenizer is read from, in the order they are looked for in a folder. */
const known = ['tokenizer.json', 'vocab.txt', 'vocab.json'];

/** Files of older tokenizers that are written beside an exported model when they are there. */
const companions = ['special_tokens_map.json', 'vocab.txt', 'vocab.json', 'merges.txt'];

/** Names that SentencePiece models go by. */
const sentencePieceFile = /(^|\.)(model|spm)$/;

/**
 * Loads a model's tokenizer.
 * @param path a folder with tokenizer.json, with vocab.txt, or with vocab.json and merges.txt; or such a file.
 *   tokenizer_config.json and special_tokens_map.json are read from beside it when they are there.
 * @throws SesdError SESD_BAD_TOKENIZER naming the files that were looked for, or what is wrong in one
 */
export async function loadTokenizer(path: string): Promise<Tokenizer> {
  const file = await find(path);
  const beside = (name: string) => join(dirname(file), name);
  const content = await read(file);
  const configFile = await readIfThere(beside('tokenizer_config.json'));
  const mapFile = await readIfThere(beside('special_tokens_map.json'));
  const config = settings(configFile, beside('tokenizer_config.json'));
  const map = settings(mapFile, beside('special_tokens_map.json'));

  const made = await makeJson(file, content, config);
  const root = made ?? new Part(parse(content, file), '', file);
  if (!root.has('model')) throw bad(`${file}: expected a tokenizer.json, found no model in it`);
  await setImmediate(); // parsing and building each take some 40 ms for 30,000 tokens; the event loop runs between

  const pipeline = createPipeline(root);
  const template = templateOf(root.has('post_processor') ? root.part('post_processor') : undefined);
  checkTemplate(template, pipeline, root);
  const pad = padOf(root, pipeline, tokenText(config, 'pad_token') ?? tokenText(map, 'pad_token'));

  const files: TokenizerFile[] = [
    { name: 'tokenizer.json', content: made ? encode(made.value) : content },
    { name: 'tokenizer_config.json', content: configFile ?? encode(defaultConfig(root, pad.token)) },
  ];
  for (const name of companions) {
    const there = await readIfThere(beside(name));
    if (there) files.push({ name, content: there });
  }
  return new Tokenizer({ pipeline, template, file, padId: pad.id, files });
}

async function find(path: string): Promise<string> {
  const found = await stat(path).catch(() => undefined);
  if (!found) throw bad(`${path}: no such file or folder`);
  if (!found.isDirectory()) {
    if (/\.(json|txt)$/.test(path)) return path;
    if (sentencePieceFile.test(path)) throw sentencePiece(path);
    throw bad(`${path}: expected a tokenizer.json or vocab.txt, found ${basename(path)}`);
  }
  for (const name of known) {
    const file = join(path, name);
    if (await stat(file).catch(() => undefined)) return file;
  }
  for (const name of ['sentencepiece.bpe.model', 'spiece.model', 'spm.model', 'tokenizer.model']) {
    const file = join(path, name);
    if (await stat(file).catch(() => undefined)) throw sentencePiece(file);
  }
  throw bad(`${path}: no tokenizer; looked for ${known.join(', ').replace(/, ([^,]*)$/, ' and $1')}`);
}

/** The tokenizer.json of a tokenizer that has only its vocabulary; undefined when the file is one itself. */
async function makeJson(file: string, content: Uint8Array, config: Part): Promise<Part | undefined> {
  if (file.endsWith('.txt')) return new Part(wordPieceJson(decode(content, file), config, file), '', file);
  if (basename(file) !== 'vocab.json') return undefined;
  const mergesFile = join(dirname(file), 'merges.txt');
  const merges = decode(await read(mergesFile), mergesFile);
  const vocabulary = new Part(parse(content, file), '', file);
  return new Part(byteLevelBpeJson(vocabulary, merges, config), '', file);
}

/** What tokenizer_config.json or special_tokens_map.json says; nothing when there is none. */
function settings(content: Uint8Array | undefined, file: string): Part {
  return new Part(content ? parse(content, file) : {}, '', file);
}

/** Every special token of the template must have its row in an embedding table. */
function checkTemplate(template: Template, { vocabularySize }: Pipeline, root: Part): void {
  const pieces = [...template.single, ...template.pair];
  for (const ids of new Set(pieces.map((piece) => ('ids' in piece ? piece.ids : [])))) {
    const outside = ids.find((id) => id >= vocabularySize);
    if (outside !== undefined) throw root.wrong('post_processor', `ids below ${vocabularySize}`, outside);
  }
}

/** The padding token: the one named, else tokenizer.json's, else the usual ones; id 0 when there is none. */
function padOf(root: Part, pipeline: Pipeline, named: string | undefined): { id: number; token?: string } {
  const padding = root.has('padding') ? root.part('padding') : undefined;
  for (const token of [named, padding?.string('pad_token', '[PAD]'), '[PAD]', '<pad>']) {
    const id = token === undefined ? undefined : pipeline.idOf(token);
    if (id !== undefined) return { id, token: token! };
  }
  return { id: 0 };
}

/** A token is its text, or an object with it. */
function tokenText(config: Part, name: string): string | undefined {
  if (!config.has(name)) return undefined;
  return isObject(config.get(name)) ? config.part(name).string('content') : config.string(name);
}

/** What libraries that read the exported folder need beside tokenizer.json. */
function defaultConfig(root: Part, padToken: string | undefined): object {
  const model = root.part('model');
  if (model.get('type') !== 'WordPiece') {
    return { tokenizer_class: 'PreTrainedTokenizerFast', ...(padToken ? { pad_token: padToken } : {}) };
  }
  const lowercase = root.has('normalizer') ? root.part('normalizer').get('lowercase') : undefined;
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

function parse(content: Uint8Array, file: string): unknown {
  const text = decode(content, file);
  try {
    return JSON.parse(text);
  } catch (cause) {
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

function sentencePiece(file: string): SesdError {
  return new SesdError('SESD_BAD_TOKENIZER', `${file}: a SentencePiece model alone is not read`, {
    hint: `Make a tokenizer.json of it: python -c "from transformers import AutoTokenizer as T; T.from_pretrained('FOLDER').save_pretrained('FOLDER')", with pip install transformers sentencepiece.`,
  });
}

function bad(message: string, cause?: unknown): SesdError {
  return new SesdError('SESD_BAD_TOKENIZER', message, {
    hint: "Give the model's tokenizer.json or vocab.txt, or the folder that holds it, with --tokenizer.",
    cause,
  });
}
