import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { bertGraph } from '../../models/bert-graph.ts';
import { normalWeights } from '../../models/random-weights.ts';
import { bertTokenizer, wordnetVocabulary } from '../../models/tokenizer.ts';
import { serializeGraph } from '../../src/graph/serialize.ts';

const int64 = (rows: number[][]): Tensor =>
  new Tensor('int64', BigInt64Array.from(rows.flat(), BigInt), [rows.length, rows[0]!.length]);

function assertClose(actual: Iterable<unknown>, expected: readonly number[]): void {
  const values = [...actual] as number[];
  assert.equal(values.length, expected.length);
  values.forEach((value, i) => {
    assert.ok(Math.abs(value - expected[i]!) < 1e-5, `[${i}]: ${value}, expected ${expected[i]}`);
  });
}

describe('bertGraph', () => {
  test("computes what PyTorch's BertModel does with the same weights", async () => {
    const graph = bertGraph(
      {
        vocab_size: 12,
        hidden_size: 8,
        num_hidden_layers: 2,
        num_attention_heads: 2,
        intermediate_size: 16,
        max_position_embeddings: 7,
        type_vocab_size: 2,
        layer_norm_eps: 1e-12,
        initializer_range: 0.5,
      },
      normalWeights(7, 0.5),
    );
    const folder = await mkdtemp(join(tmpdir(), 'sesd-bert-'));
    try {
      await writeFile(join(folder, 'model.onnx'), serializeGraph(graph));
      const session = await InferenceSession.create(join(folder, 'model.onnx'));
      const { last_hidden_state, pooler_output } = await session.run({
        input_ids: int64([
          [2, 5, 6, 7, 3],
          [2, 8, 3, 0, 0],
        ]),
        attention_mask: int64([
          [1, 1, 1, 1, 1],
          [1, 1, 1, 0, 0],
        ]),
        token_type_ids: int64([
          [0, 0, 0, 1, 1],
          [0, 0, 0, 0, 0],
        ]),
      });
      assert.deepEqual(last_hidden_state!.dims, [2, 5, 8]);
      assertClose(
        (last_hidden_state!.data as Float32Array).slice(6 * 8, 7 * 8),
        [0.5076572, 1.0203282, -0.6398618, 0.7135327, 0.6944104, -1.453747, 0.7688663, -1.6111859],
      );
      assert.deepEqual(pooler_output!.dims, [2, 8]);
      assertClose(
        pooler_output!.data as Float32Array,
        [
          -0.6422426, 0.5212197, 0.9938277, 0.8345084, 0.9855351, -0.860517, 0.6158152, -0.9324145,
          -0.5520815, 0.3329521, 0.9923974, 0.7848425, 0.9892731, -0.8762418, 0.470184, -0.9431153,
        ],
      );
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe('normalWeights', () => {
  test('are normal with the deviation asked for, and the same bits for the same seed', () => {
    const values = normalWeights(1, 0.02)(200_000);
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const within = (sigmas: number): number =>
      values.filter((value) => Math.abs(value) < sigmas * 0.02).length / values.length;
    assert.ok(Math.abs(mean) < 3e-4, `${mean}`);
    assert.ok(Math.abs(within(1) - 0.6827) < 0.01, `${within(1)}`);
    assert.ok(Math.abs(within(2) - 0.9545) < 0.005, `${within(2)}`);
    assert.deepEqual(normalWeights(1, 0.02)(200_000), values);
    assert.notDeepEqual(normalWeights(2, 0.02)(10), values.slice(0, 10));
  });
});

describe('the mini BERT', () => {
  test('has the tokenizer its recipe makes', async () => {
    const read = async (name: string): Promise<unknown> =>
      JSON.parse(await readFile(new URL(`../../models/mini-bert/${name}`, import.meta.url), 'utf8'));
    const { vocab_size } = (await read('config.json')) as { vocab_size: number };
    const vocabulary = await wordnetVocabulary(vocab_size);
    assert.equal(vocabulary.length, vocab_size);
    assert.deepEqual(bertTokenizer(vocabulary), await read('tokenizer.json'));
  });
});
