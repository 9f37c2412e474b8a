import { readAddedTokens } from './added-tokens.ts';
import { mostGrown } from './growth.ts';
import { createModel } from './models/index.ts';
import { createNormalizer } from './normalizers/index.ts';
import type { Part } from './part.ts';
import { createPreTokenizer } from './pre-tokenizers/index.ts';

export interface Pipeline {
  /** Text to token ids, without the special tokens of a template. A lone surrogate is read as U+FFFD. */
  encode(text: string): number[];
  /** The id of a token that is spelled out. */
  idOf(token: string): number | undefined;
  /** One more than the largest token id. */
  vocabularySize: number;
}

const loneSurrogate = /\p{Surrogate}/gu;

/**
 * A tokenizer.json as the Rust tokenizers library runs it: added tokens are cut out, the rest is normalized, split
 * into words, and the model turns each word into ids.
 * @throws SesdError SESD_BAD_TOKENIZER when a part of it is unknown or not as it must be
 */
export function createPipeline(root: Part): Pipeline {
  const model = createModel(root.part('model'));
  const normalizer = root.has('normalizer') ? createNormalizer(root.part('normalizer')) : undefined;
  const normalize = (text: string) => normalizer?.(text, mostGrown(text)) ?? text;
  const preTokenize = root.has('pre_tokenizer')
    ? createPreTokenizer(root.part('pre_tokenizer'))
    : (text: string) => [text];
  const added = readAddedTokens(root, model, normalize);

  const encode = (text: string): number[] => {
    const ids: number[] = [];
    const most = mostGrown(text);
    for (const [index, section] of added.splitRaw(text.replace(loneSurrogate, '\ufffd')).entries()) {
      if ('id' in section) {
        ids.push(section.id);
        continue;
      }
      const kept = index === 0 && keepsStart(section.text, normalize);
      for (const [inner, part] of added.splitNormalized(normalize(section.text)).entries()) {
        if ('id' in part) ids.push(part.id);
        else if (part.text !== '') {
          for (const word of preTokenize(part.text, kept && inner === 0, most)) {
            if (word !== '') for (const id of model.encode(word)) ids.push(id);
          }
        }
      }
    }
    return ids;
  };
  return {
    encode,
    idOf: (token) => added.ids.get(token) ?? model.idOf(token),
    vocabularySize: [...added.ids.values()].reduce((limit, id) => Math.max(limit, id + 1), model.idLimit),
  };
}

/** Whether something of the text's first character is left: then normalized text begins where the text does. */
function keepsStart(text: string, normalize: (text: string) => string): boolean {
  const first = text.codePointAt(0);
  return first !== undefined && normalize(String.fromCodePoint(first)) !== '';
}
