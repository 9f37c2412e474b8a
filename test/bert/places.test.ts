import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type BertConfig, bertGraph } from '../../models/bert-graph.ts';
import { normalWeights } from '../../models/random-weights.ts';
import { placedName, placeName } from '../../src/bert/places.ts';
import { type BertOptions, prepareBert } from '../../src/bert/prepare.ts';
import { float32Tensor, GraphBuilder } from '../../src/graph/builder.ts';
import type { Graph } from '../../src/graph/graph.ts';
import { inferGraph } from '../../src/graph/infer/infer.ts';
import { sortNodes } from '../../src/graph/sort.ts';
import { prepareTiny, reference, type TinyFile } from './tiny-bert.ts';

const config: BertConfig = {
  vocab_size: 20,
  hidden_size: 8,
  num_hidden_layers: 3,
  num_attention_heads: 2,
  intermediate_size: 16,
  max_position_embeddings: 12,
  type_vocab_size: 2,
  layer_norm_eps: 1e-12,
  initializer_range: 0.02,
};

/** Names of weights, in order, by place. */
async function placesOf(graph: Graph, options: Partial<BertOptions> = {}): Promise<Record<string, string[]>> {
  const prepared = await prepareBert(graph, {
    ...{ head: 'auto', classes: 2, dropout: 0.1, fuse: true, seed: 1, ...options },
  });
  const found: Record<string, string[]> = {};
  for (const { name } of prepared.plan.parameters) {
    const place = placeName(prepared.places.of.get(name));
    found[place] = [...(found[place] ?? []), name].sort();
  }
  return found;
}

describe('places of weights', () => {
  for (const file of ['model.onnx', 'model-dynamo.onnx'] satisfies TinyFile[]) {
    test(`of ${file} are those PyTorch's names tell`, async () => {
      const { plan, places } = await prepareTiny({}, file);
      assert.equal(places.layers, 2);
      const torch = new Map(
        reference.parameters.map(({ name, initializers }) => [initializers[file]?.name, name]),
      );
      assert.ok(plan.parameters.some(({ name }) => !torch.get(name)!.includes(name)));
      for (const { name } of plan.parameters) {
        const [, module = '', layer] = /^(?:bert\.)?(?:encoder\.)?(\w+)(?:\.(\d+)\.)?/.exec(
          torch.get(name)!,
        )!;
        assert.equal(placeName(places.of.get(name)), layer === undefined ? module : `layer.${layer}`, name);
      }
    });
  }

  test('follow the head that is attached', async () => {
    const graph = () => bertGraph(config, normalWeights(1, 0.02));
    const pooled = await placesOf(graph());
    assert.deepEqual(Object.keys(pooled).sort(), [
      ...['classifier', 'embeddings', 'layer.0', 'layer.1', 'layer.2', 'pooler'],
    ]);
    assert.deepEqual(pooled.pooler, ['bert.pooler.dense.bias', 'bert.pooler.dense.weight']);
    assert.deepEqual(pooled.classifier, ['classifier.bias', 'classifier.weight']);
    for (const head of ['cls', 'mean'] as const) {
      const { pooler, ...rest } = pooled;
      assert.deepEqual(await placesOf(graph(), { head }), rest);
    }
    const encoder = graph();
    encoder.outputs = encoder.outputs.filter((output) => output !== 'pooler_output');
    const own = await placesOf(encoder, { head: 'pooler' });
    assert.deepEqual(own.pooler, ['pooler.dense.bias', 'pooler.dense.weight']);
    assert.deepEqual(own.classifier, pooled.classifier);
  });

  test('of a graph of fixed shape are the same', async () => {
    const graph = bertGraph(config, normalWeights(1, 0.02));
    const expected = await placesOf(graph);
    // As many tokens as a state has numbers, so that nothing but the rank tells them apart.
    for (const input of graph.inputs) graph.types.set(input, { dtype: 'int64', dims: [4, 8] });
    assert.deepEqual(await placesOf(graph), expected);
  });

  test('weights that layers share span them', async () => {
    const graph = bertGraph(config, normalWeights(1, 0.02));
    for (const node of graph.nodes)
      node.inputs = node.inputs.map((name) => name.replace('.encoder.layer.2.', '.encoder.layer.1.'));
    const found = await placesOf(graph);
    assert.deepEqual(Object.keys(found).sort(), [
      ...['classifier', 'embeddings', 'layer.0', 'layer.1-2', 'pooler'],
    ]);
    assert.equal(found['layer.1-2']!.length, 16);
  });

  test('a table that every layer looks its positions up in belongs to the embeddings', async () => {
    const graph = bertGraph(config, normalWeights(1, 0.02));
    const builder = new GraphBuilder(graph, inferGraph(graph));
    // [1, heads, 1, 1]: the bias of one distance for every pair of tokens
    const bias = (table: string) => {
      graph.initializers.set(table, float32Tensor(new Float32Array(12), [6, 2]));
      graph.types.set(table, { dtype: 'float32', dims: [6, 2] });
      return builder.op('Unsqueeze', [builder.op('Gather', [table, builder.ints(3)]), builder.ints(2, 3)]);
    };
    const shared = bias('relative');
    const softmaxes = graph.nodes.filter(({ op }) => op === 'Softmax');
    for (const [layer, softmax] of softmaxes.entries()) {
      const sum = builder.op('Add', [softmax.inputs[0]!, shared]);
      softmax.inputs = [builder.op('Add', [sum, bias(`own.${layer}`)])];
    }
    sortNodes(graph);
    const found = Object.entries(await placesOf(graph));
    const placeOf = (name: string) => found.find(([, names]) => names.includes(name))?.[0];
    assert.deepEqual(['relative', 'own.0', 'own.2'].map(placeOf), ['embeddings', 'layer.0', 'layer.2']);
  });

  test('a weight is called by its place and its own name', async () => {
    const { places } = await prepareTiny();
    assert.equal(placedName('onnx::MatMul_370', places), 'layer.0.onnx::MatMul_370');
    assert.equal(placedName('classifier.weight', places), 'classifier.classifier.weight');
    assert.equal(placedName('nowhere', places), 'elsewhere.nowhere');
  });
});
