import { Tokenizer } from '@huggingface/tokenizers';
import { SesdError } from '../errors.ts';
import { type BertNormalizerConfig, bertNormalizer, bertWords } from './bert-text.ts';
import type { TokenizerJson } from './tokenizer.ts';

/** The parts of the JavaScript tokenizers library that are used; its own types do not resolve in ES modules. */
interface Library {
  normalizer: Normalizer | null;
  pre_tokenizer: PreTokenizer | null;
  encode(text: string, options: { add_special_tokens: boolean }): { ids: number[] };
}

interface Normalizer {
  normalize(text: string): string;
  /** Of a Sequence. */
  normalizers?: Normalizer[];
}

interface PreTokenizer {
  pre_tokenize_text(text: string): string[];
  /** Of a Sequence. */
  tokenizers?: PreTokenizer[];
}

type NormalizerConfig = BertNormalizerConfig | { type: 'Sequence'; normalizers: NormalizerConfig[] };
type PreTokenizerConfig = { type: string; pretokenizers?: PreTokenizerConfig[] };

/**
 * Text to token ids without special tokens: the JavaScript tokenizers library, with BERT's text cleaning made equal
 * to the Rust library's.
 * @throws SesdError SESD_BAD_TOKENIZER when a part of the tokenizer is of an unknown type
 */
export function textToIds(json: TokenizerJson, file: string): (text: string) => number[] {
  const library = create(json, file);
  if (library.normalizer) makeNormalizerExact(library.normalizer, json.normalizer as NormalizerConfig);
  if (library.pre_tokenizer)
    makePreTokenizerExact(library.pre_tokenizer, json.pre_tokenizer as PreTokenizerConfig);
  return (text) => library.encode(text, { add_special_tokens: false }).ids;
}

function create(json: TokenizerJson, file: string): Library {
  // The library wants every part to be there. Special tokens are added by a Template, and nothing is decoded.
  const parts = {
    ...json,
    added_tokens: json.added_tokens ?? [],
    normalizer: json.normalizer ?? null,
    pre_tokenizer: json.pre_tokenizer ?? null,
    post_processor: null,
    decoder: null,
  };
  try {
    return new Tokenizer(parts, {}) as Library;
  } catch (cause) {
    throw new SesdError('SESD_BAD_TOKENIZER', `${file}: ${(cause as Error).message}`, {
      hint: 'Give a tokenizer.json that Hugging Face tokenizers wrote, or a vocab.txt, with --tokenizer.',
      cause,
    });
  }
}

function makeNormalizerExact(normalizer: Normalizer, config: NormalizerConfig): void {
  if (config.type === 'BertNormalizer') normalizer.normalize = bertNormalizer(config);
  normalizer.normalizers?.forEach((part, index) => {
    makeNormalizerExact(part, (config as { normalizers: NormalizerConfig[] }).normalizers[index]!);
  });
}

function makePreTokenizerExact(preTokenizer: PreTokenizer, config: PreTokenizerConfig): void {
  if (config.type === 'BertPreTokenizer') preTokenizer.pre_tokenize_text = bertWords;
  preTokenizer.tokenizers?.forEach((part, index) => {
    makePreTokenizerExact(part, config.pretokenizers![index]!);
  });
}
