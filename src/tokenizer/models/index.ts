import type { Part } from '../part.ts';
import { bpe } from './bpe.ts';
import type { Model } from './model.ts';
import { unigram } from './unigram.ts';
import { wordPiece } from './word-piece.ts';

const models: Readonly<Record<string, (part: Part) => Model>> = {
  WordPiece: wordPiece,
  BPE: bpe,
  Unigram: unigram,
};

/** Distinct words whose ids are remembered. */
const remembered = 10_000;
/** Words up to this length are. */
const longestRemembered = 256;

/** @throws SesdError SESD_BAD_TOKENIZER when the part is of an unknown type or not as it must be */
export function createModel(part: Part): Model {
  const type = part.has('type') ? part.string('type') : guessedType(part);
  if (!Object.hasOwn(models, type)) {
    throw part.bad(`model type "${type}" is not supported; known are ${Object.keys(models).join(', ')}`);
  }
  return remembering(models[type]!(part));
}

/** Files of old versions say no type. */
function guessedType(part: Part): string {
  if (part.has('merges')) return 'BPE';
  return Array.isArray(part.get('vocab')) ? 'Unigram' : 'WordPiece';
}

/** The same with a memory: most words of a text are frequent ones. */
function remembering(model: Model): Model {
  const known = new Map<string, readonly number[]>();
  return {
    ...model,
    encode(word) {
      let ids = known.get(word);
      if (ids === undefined) {
        ids = model.encode(word);
        if (word.length <= longestRemembered && known.size < remembered) known.set(word, ids);
      }
      return ids;
    },
  };
}
