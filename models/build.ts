/**
 * Makes the embedded default model (README.md of this folder):
 *
 *   node --import tsx models/build.ts              mini-bert/model.onnx, from config.json and the seed
 *   node --import tsx models/build.ts --tokenizer  also config.json, tokenizer.json and tokenizer_config.json, which are
 *                                                  kept in the repository
 */
import { readFile, writeFile } from 'node:fs/promises';
import { serializeGraph } from '../src/graph/serialize.ts';
import { type BertConfig, bertGraph } from './bert-graph.ts';
import { normalWeights } from './random-weights.ts';
import { bertTokenizer, bertTokenizerConfig, wordnetVocabulary } from './tokenizer.ts';

const SEED = 42;

const folder = new URL('mini-bert/', import.meta.url);

/** config.json of the mini BERT, in Hugging Face's terms. */
const miniBert = {
  architectures: ['BertModel'],
  model_type: 'bert',
  vocab_size: 8192,
  hidden_size: 256,
  num_hidden_layers: 4,
  num_attention_heads: 4,
  intermediate_size: 1024,
  hidden_act: 'gelu',
  hidden_dropout_prob: 0.1,
  attention_probs_dropout_prob: 0.1,
  max_position_embeddings: 512,
  type_vocab_size: 2,
  layer_norm_eps: 1e-12,
  initializer_range: 0.02,
  pad_token_id: 0,
  position_embedding_type: 'absolute',
};

const [flag, ...rest] = process.argv.slice(2);
if (rest.length > 0 || (flag !== undefined && flag !== '--tokenizer')) {
  console.error('usage: node --import tsx models/build.ts [--tokenizer]');
  process.exit(2);
}
if (flag === '--tokenizer') {
  const vocabulary = await wordnetVocabulary(miniBert.vocab_size);
  await writeJson('config.json', miniBert);
  await writeJson('tokenizer.json', bertTokenizer(vocabulary));
  await writeJson('tokenizer_config.json', bertTokenizerConfig(miniBert.max_position_embeddings));
}
const config: BertConfig = JSON.parse(await readFile(new URL('config.json', folder), 'utf8'));
const graph = bertGraph(config, normalWeights(SEED, config.initializer_range));
await writeFile(new URL('model.onnx', folder), serializeGraph(graph));

async function writeJson(name: string, content: object): Promise<void> {
  await writeFile(new URL(name, folder), `${JSON.stringify(content, undefined, 2)}\n`);
}
