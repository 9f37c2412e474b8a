import { isCount, isObject, type Part } from '../part.ts';

/** Ids below this can be put together in pairs without loss, and no embedding table is as long. */
const idLimit = 2 ** 26;

export interface Vocabulary {
  ids: ReadonlyMap<string, number>;
  /** One more than the largest id. */
  idLimit: number;
}

/**
 * A vocabulary that gives an id for each token.
 * @throws SesdError SESD_BAD_TOKENIZER when it is none
 */
export function readVocabulary(model: Part): Vocabulary {
  const vocab = model.get('vocab');
  if (!isObject(vocab)) throw model.wrong('vocab', 'an object of ids by token', vocab);
  const ids = new Map<string, number>();
  let limit = 0;
  for (const token in vocab) {
    const id = vocab[token];
    if (!isCount(id) || id >= idLimit) {
      throw model.wrong(`vocab[${JSON.stringify(token)}]`, `an id from 0 to ${idLimit - 1}`, id);
    }
    ids.set(token, id);
    limit = Math.max(limit, id + 1);
  }
  return { ids, idLimit: limit };
}
