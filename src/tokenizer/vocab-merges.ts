import { SesdError } from '../errors.ts';
import type { Part } from './part.ts';

const roberta = { cls: '<s>', pad: '<pad>', sep: '</s>', unk: '<unk>', mask: '<mask>' };
const deberta = { cls: '[CLS]', pad: '[PAD]', sep: '[SEP]', unk: '[UNK]', mask: '[MASK]' };

/**
 * The tokenizer.json of a RoBERTa or a DeBERTa v1 that has only vocab.json and merges.txt: byte-level BPE, as those
 * models' classes in Python set it up.
 * @param vocabulary of vocab.json: ids by token, the special ones among them
 * @param merges of merges.txt: a pair of tokens a line, after a line with the version
 * @param config of tokenizer_config.json
 * @throws SesdError SESD_BAD_TOKENIZER when the special tokens are those of neither model
 */
export function byteLevelBpeJson(vocabulary: Part, merges: string, config: Part): object {
  const names = [roberta, deberta].find(({ cls, sep }) => vocabulary.has(cls) && vocabulary.has(sep));
  if (!names) {
    throw new SesdError('SESD_BAD_TOKENIZER', `${vocabulary.file}: no <s> and </s>, nor [CLS] and [SEP]`, {
      hint: 'A vocab.json with merges.txt is read as that of a RoBERTa or a DeBERTa; give a tokenizer.json with --tokenizer.',
    });
  }
  const token = (name: string): [string, number] => [name, vocabulary.count(name)];
  const byteLevel = {
    type: 'ByteLevel',
    add_prefix_space: config.boolean('add_prefix_space', false),
    trim_offsets: true,
    use_regex: true,
  };
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: Object.values(names)
      .filter((content) => vocabulary.has(content))
      .map((content) => ({
        id: vocabulary.count(content),
        content,
        single_word: false,
        lstrip: content === names.mask, // a mask takes the place of a word with its space
        rstrip: false,
        normalized: false,
        special: true,
      })),
    normalizer: null,
    pre_tokenizer: byteLevel,
    post_processor: {
      type: names === roberta ? 'RobertaProcessing' : 'BertProcessing',
      sep: token(names.sep),
      cls: token(names.cls),
      ...(names === roberta ? { trim_offsets: true, add_prefix_space: byteLevel.add_prefix_space } : {}),
    },
    decoder: byteLevel,
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: vocabulary.has(names.unk) ? names.unk : null,
      continuing_subword_prefix: '',
      end_of_word_suffix: '',
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab: vocabulary.value,
      merges: merges.split(/\r?\n/).filter((line) => line !== '' && !line.startsWith('#version')),
    },
  };
}
