import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type BertConfig, bertGraph } from '../../models/bert-graph.ts';
import { normalWeights } from '../../models/random-weights.ts';
import { placeName } from '../../src/bert/places.ts';
import { type BertOptions, type PreparedBert, prepareBert } from '../../src/bert/prepare.ts';
import type { SesdError } from '../../src/errors.ts';
import { prepareTiny, reference, type TinyFile } from './tiny-bert.ts';

const config: BertConfig = {
  vocab_size: 20,
  hidden_size: 96,
  num_hidden_layers: 3,
  num_attention_heads: 2,
  intermediate_size: 192,
  max_position_embeddings: 12,
  type_vocab_size: 2,
  layer_norm_eps: 1e-12,
  initializer_range: 0.5,
};

function prepare(options: Partial<BertOptions> = {}, shared = false): Promise<PreparedBert> {
  const graph = bertGraph(config, normalWeights(1, 0.5));
  for (const node of shared ? graph.nodes : [])
    node.inputs = node.inputs.map((name) => name.replace('.layer.2.', '.layer.1.'));
  return prepareBert(graph, { head: 'auto', classes: 2, dropout: 0, fuse: true, seed: 1, ...options });
}

/** The values a plan starts from, by name. */
function initialOf({ plan }: PreparedBert): Map<string, Float32Array> {
  return new Map(
    plan.parameters.map(({ name }) => [name, new Float32Array(plan.initial.get(name)!.bytes.slice().buffer)]),
  );
}

function moments(values: Float32Array) {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
  return { mean, deviation };
}

const isConstant = (values: Float32Array, value: number) => values.every((each) => each === value);

describe('--reinit-top', () => {
  for (const file of ['model.onnx', 'model-dynamo.onnx'] satisfies TinyFile[]) {
    test(`gives the top layer and the pooler of ${file} new weights, each of its own kind, and no others`, async () => {
      const before = initialOf(await prepareTiny({}, file));
      const prepared = await prepareTiny({ reinitTop: 1 }, file);
      const after = initialOf(prepared);
      const torch = new Map(
        reference.parameters.map(({ name, initializers }) => [initializers[file]!.name, name]),
      );
      const anew: string[] = [];
      for (const [name, values] of after) {
        const parameter = torch.get(name)!;
        if (!/encoder\.layer\.1\.|pooler/.test(parameter)) {
          assert.deepEqual(values, before.get(name), parameter);
          continue;
        }
        anew.push(name);
        if (/LayerNorm\.weight$/.test(parameter)) assert.ok(isConstant(values, 1), parameter);
        else if (/bias$/.test(parameter)) assert.ok(isConstant(values, 0), parameter);
        else assert.ok(Math.max(...values.map(Math.abs)) < 6 * 0.02 && !isConstant(values, 0), parameter);
      }
      assert.equal(anew.length, 18);
      assert.deepEqual(prepared.reinitialized, anew);
    });
  }

  test('draws matrices from N(0, 0.02²), none of them twice', async () => {
    const { reinitialized, ...prepared } = await prepare({ reinitTop: 2 });
    const initial = initialOf({ reinitialized, ...prepared });
    const matrices = reinitialized.filter((name) => prepared.plan.initial.get(name)!.dims.length === 2);
    assert.equal(matrices.length, 2 * 6 + 1);
    const all = Float32Array.from(matrices.flatMap((name) => [...initial.get(name)!]));
    const { mean, deviation } = moments(all);
    // Four standard errors.
    assert.ok(Math.abs(mean) < (4 * 0.02) / Math.sqrt(all.length), `mean ${mean}`);
    assert.ok(Math.abs(deviation / 0.02 - 1) < 4 / Math.sqrt(2 * all.length), `deviation ${deviation}`);
    const within = all.filter((value) => Math.abs(value) < 0.02).length / all.length;
    assert.ok(Math.abs(within - 0.6827) < 0.01, `${within} within one deviation`);
    assert.equal(
      new Set(matrices.map((name) => initial.get(name)!.slice(0, 8).join())).size,
      matrices.length,
    );
    // A new classifier has draws of its own.
    const classifier = initial.get('classifier.weight')!.slice(0, 8);
    assert.ok(matrices.every((name) => initial.get(name)!.slice(0, 8).join() !== classifier.join()));
  });

  test('follows from the seed', async () => {
    const [first, same, other] = await Promise.all([1, 1, 2].map((seed) => prepare({ reinitTop: 1, seed })));
    assert.deepEqual(initialOf(first!), initialOf(same!));
    const name = first!.reinitialized.find((each) => each.includes('query.weight'))!;
    assert.notDeepEqual(initialOf(first!).get(name), initialOf(other!).get(name));
    assert.equal((await prepare({ reinitTop: 0 })).reinitialized.length, 0);
  });

  test('leaves what is frozen, and refuses to have nothing left', async () => {
    const freeze = 'LayerNorm';
    const { reinitialized, plan } = await prepare({ reinitTop: 1, freeze });
    assert.equal(reinitialized.length, 18 - 4);
    assert.equal(plan.frozen.length, 2 + 3 * 4);
    await refused(
      prepare({ reinitTop: 1, freeze: '^(layer|pooler)' }),
      /--freeze keeps all weights/,
      /one of/,
    );
  });

  test('refuses more layers than there are, and to tear apart what layers share', async () => {
    await refused(prepare({ reinitTop: 4 }), /--reinit-top 4: the model has 3 layers/);
    const shares = /--reinit-top 1: layers 1 to 2 share their weights/;
    await refused(prepare({ reinitTop: 1 }, true), shares, /--reinit-top 2\.$/);
    const { reinitialized, places } = await prepare({ reinitTop: 2 }, true);
    const anew = new Set(reinitialized.map((name) => placeName(places.of.get(name))));
    assert.deepEqual([...anew].sort(), ['layer.1-2', 'pooler']);
  });
});

function refused(preparing: Promise<PreparedBert>, message: RegExp, hint = /^/): Promise<void> {
  return assert.rejects(preparing, (error: SesdError) => {
    assert.equal(error.code, 'SESD_USAGE');
    assert.match(error.message, message);
    assert.match(error.hint ?? '', hint);
    return true;
  });
}
