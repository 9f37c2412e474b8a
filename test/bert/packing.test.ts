import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findPaddingMasks, type ProbeResult } from '../../src/bert/padding-masks.ts';
import { type BertOptions, prepareBert } from '../../src/bert/prepare.ts';
import { graphRunner } from '../../src/engine/backends/graph-runner.ts';
import { createEngine } from '../../src/engine/backends/onnx-runtime.ts';
import type { NamedArray } from '../../src/engine/engine.ts';
import { GraphBuilder } from '../../src/graph/builder.ts';
import type { Graph } from '../../src/graph/graph.ts';
import { inferGraph, newInference } from '../../src/graph/infer/infer.ts';
import { hoistShapes } from '../../src/graph/passes/hoist-shapes.ts';
import { simplify } from '../../src/graph/passes/simplify.ts';
import { findAttentions } from '../../src/graph/patterns/attention.ts';
import { replaceUses } from '../../src/graph/rewrite.ts';
import { sortNodes } from '../../src/graph/sort.ts';
import { GraphView } from '../../src/graph/view.ts';
import {
  collectGradients,
  prepareTiny,
  relativeError,
  tinyBatch,
  tinyEngine,
  tinyGraph,
} from './tiny-bert.ts';

// That packed logits and gradients equal PyTorch's is tested in gradients.test.ts, and for every exporter in the zoo.

const probe = graphRunner({ threads: 2 });
const options: BertOptions = { head: 'auto', dropout: 0, fuse: true, seed: 1, probe };

/** The mask of a graph's attentions, which patterns find only in the canonical form. */
function maskOf(graph: Graph): string {
  const inference = inferGraph(graph);
  hoistShapes(new GraphBuilder(graph, inference));
  simplify(graph, inference);
  const mask = findAttentions(new GraphView(graph))[0]?.mask;
  assert.equal(mask?.kind, 'additive');
  return (mask as { value: string }).value;
}

/** The tiny BERT whose mask went through something more. */
async function withMask(change: (g: GraphBuilder, mask: string) => string): Promise<Graph> {
  const graph = await tinyGraph();
  const mask = maskOf(graph);
  const readers = graph.nodes.filter((node) => node.inputs.includes(mask));
  replaceUses(graph, mask, change(new GraphBuilder(graph, newInference()), mask), readers);
  sortNodes(graph);
  return graph;
}

test('padding is left out where the head reads tokens and masks do nothing else', async () => {
  assert.ok((await prepareTiny({ probe })).packed);
  for (const head of ['cls', 'pooler', 'mean'] as const)
    assert.ok((await prepareBert(await encoder(), { ...options, head, classes: 4 })).packed, head);
  // adding the same to all scores of a query changes no probability
  const shifted = await withMask((g, mask) => g.op('Add', [mask, g.scalar(2)]));
  assert.ok((await prepareBert(shifted, options)).packed);
});

test('padding is computed where something else depends on it', async () => {
  assert.equal((await prepareTiny({ probe, fuse: false })).packed, false, '--no-fuse');
  const soft = await withMask((g, mask) => g.op('Max', [mask, g.scalar(-20)]));
  assert.equal((await prepareBert(soft, options)).packed, false, 'a mask that lets padding through');
  const causal = await withMask((g, mask) => {
    const { dims } = g.typeOf(mask)!;
    assert.equal(dims?.length, 4);
    const keys = g.op('Shape', [mask], { attributes: { start: 3 } });
    const square = g.op('Expand', [
      g.scalar(-1e9),
      g.op('Concat', [keys, keys], { attributes: { axis: 0 } }),
    ]);
    const above = g.op('Trilu', [
      square,
      g.constant({ dtype: 'int64', dims: [], bytes: new Uint8Array(BigInt64Array.of(1n).buffer) }),
    ]);
    return g.op('Add', [mask, above]);
  });
  assert.equal((await prepareBert(causal, options)).packed, false, 'an order of tokens in the mask');
  const decoder = await encoder(causal);
  await assert.rejects(prepareBert(decoder, { ...options, classes: 4 }), {
    code: 'SESD_BAD_MODEL',
    message: /^The model is a decoder, .* \(--head cls\)/,
  });
  assert.equal((await prepareBert(decoder, { ...options, head: 'mean', classes: 4 })).head.kind, 'mean');
});

/** The tiny BERT without its classifier. */
async function encoder(source?: Graph): Promise<Graph> {
  const graph = source ?? (await tinyGraph());
  inferGraph(graph);
  const states = graph.nodes.findLast((node) => graph.types.get(node.outputs[0]!)?.dims?.length === 3);
  graph.outputs = [states!.outputs[0]!];
  return graph;
}

test('masks are told by what they do to a full, a half and a nearly empty sequence', async () => {
  const graph = await tinyGraph();
  const mask = maskOf(graph);
  const feeds = (await prepareTiny()).plan.feeds;
  const length = 8;
  const find = (element: (row: number, query: number, key: number) => number, rows = 3) =>
    findPaddingMasks(graph, {
      feeds,
      longest: length,
      run: async (): Promise<ProbeResult> => ({
        dims: [rows, 1, length, length],
        data: Float32Array.from({ length: rows * length * length }, (_, i) =>
          element(Math.floor(i / length ** 2), Math.floor(i / length) % length, i % length),
        ),
      }),
    });
  const found = async (...args: Parameters<typeof find>) => (await find(...args)).masks;
  const lengths = [8, 4, 1];
  const padding = (row: number, key: number) => (key < lengths[row]! ? 0 : -10000);
  assert.deepEqual([...(await found((row, _, key) => padding(row, key)))], [mask]);
  // what queries of padding see does not matter
  assert.equal((await found((row, query, key) => (query < lengths[row]! ? padding(row, key) : 7))).size, 1);
  assert.equal(
    (await found((row, query, key) => (Math.abs(query - key) > 3 ? -1e9 : padding(row, key)))).size,
    0,
  );
  assert.equal((await found((row, query, key) => (key > query ? -1e9 : padding(row, key)))).size, 0);
  assert.equal((await find((_row, query, key) => (key > query ? -1e9 : 0))).causal, true);
  assert.equal((await find((_row, query, key) => (Math.abs(query - key) > 3 ? -1e9 : 0))).causal, false);
  assert.equal((await found((row, _, key) => padding(row, key) / 100)).size, 0);
  assert.equal((await found((row, _, key) => padding(row, key) + key / 1000)).size, 0);
  assert.equal((await found((_row, _, key) => padding(0, key), 1)).size, 0);
});

test('with dropout the gradients of a packed graph are those of its loss', async (t) => {
  const engine = await tinyEngine({ dropout: 0.3, probe });
  t.after(() => engine.close());
  const factors = new Float32Array(12).map((_, index) => Math.sin(index));
  const loss = async () => {
    const { data } = await engine.forward(tinyBatch(), { dropoutKey: [7, 9] });
    return data.reduce((sum, logit, index) => sum + logit * factors[index]!, 0);
  };
  const before = await loss();
  await engine.backward(factors);
  const gradients = await collectGradients(engine);
  const start = await collect(engine.student.read());
  // along the gradient of all weights at once
  const norm = Math.sqrt(
    [...gradients.values()].reduce((sum, g) => sum + g.reduce((s, x) => s + x * x, 0), 0),
  );
  const at = async (step: number) => {
    const moved = [...start].map(([name, data]) => ({
      name,
      data: data.map((x, i) => x + (step * gradients.get(name)![i]!) / norm),
    }));
    await engine.student.write(each(moved));
    return loss();
  };
  const step = 2e-3;
  const slope = ((await at(step)) - (await at(-step))) / (2 * step);
  assert.ok(Math.abs(slope / norm - 1) < 2e-3, `slope ${slope}, norm of the gradient ${norm}`);
  assert.equal(await at(0), before);
});

test('a mean over tokens is that of the padded graph, and so are its gradients', async (t) => {
  const batch = tinyBatch();
  assert.ok(batch.attentionMask.includes(0n));
  const results = [];
  const { probe: _, ...unpacked } = options;
  for (const each of [options, unpacked]) {
    const { plan, packed } = await prepareBert(await encoder(), { ...each, head: 'mean', classes: 4 });
    assert.equal(packed, 'probe' in each);
    const engine = await createEngine(plan, { threads: 2 });
    t.after(() => engine.close());
    const { data } = await engine.forward(batch, { dropoutKey: [0, 0] });
    await engine.backward(data.map((_, index) => Math.sin(index)));
    results.push({ data, gradients: await collectGradients(engine) });
  }
  const [packed, padded] = results as [(typeof results)[0], (typeof results)[0]];
  assert.ok(relativeError(packed.data, padded.data) < 1e-5);
  const largest = Math.max(...[...padded.gradients.values()].flatMap((values) => [...values.map(Math.abs)]));
  for (const [name, values] of padded.gradients) {
    const found = packed.gradients.get(name)!;
    assert.ok(Math.max(...found.map((value, i) => Math.abs(value - values[i]!))) < 1e-6 * largest, name);
  }
});

async function collect(values: AsyncIterable<NamedArray>): Promise<Map<string, Float32Array>> {
  const found = new Map<string, Float32Array>();
  for await (const { name, data } of values) found.set(name, data);
  return found;
}

async function* each(values: readonly NamedArray[]): AsyncIterable<NamedArray> {
  yield* values;
}

test('what padding a batch has changes nothing', async (t) => {
  const engine = await tinyEngine({ probe });
  t.after(() => engine.close());
  const batch = tinyBatch();
  const wide = pad(batch, batch.length + 9);
  const logits = async (of: typeof batch) => (await engine.infer(engine.student, of)).data;
  assert.ok(relativeError(await logits(wide), await logits(batch)) < 1e-6);
});

function pad(batch: ReturnType<typeof tinyBatch>, length: number): ReturnType<typeof tinyBatch> {
  const widen = (values: BigInt64Array) => {
    const wide = new BigInt64Array(batch.rows * length);
    for (let row = 0; row < batch.rows; row++)
      wide.set(values.subarray(row * batch.length, (row + 1) * batch.length), row * length);
    return wide;
  };
  const { inputIds, attentionMask, tokenTypeIds } = batch;
  return {
    ...batch,
    length,
    inputIds: widen(inputIds),
    attentionMask: widen(attentionMask),
    tokenTypeIds: widen(tokenTypeIds),
  };
}
