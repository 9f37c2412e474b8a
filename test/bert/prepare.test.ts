import assert from 'node:assert/strict';
import { test } from 'node:test';
import { reportModel } from '../../src/bert/inspect.ts';
import { prepareBert } from '../../src/bert/prepare.ts';
import { createEngine } from '../../src/engine/backends/onnx-runtime.ts';
import { SesdError } from '../../src/errors.ts';
import type { Graph } from '../../src/graph/graph.ts';
import { inferGraph } from '../../src/graph/infer/infer.ts';
import { findLayerNormalizations } from '../../src/graph/patterns/layer-normalization.ts';
import { GraphView } from '../../src/graph/view.ts';
import { prepareTiny, relativeError, tinyBatch, tinyEngine, tinyGraph } from './tiny-bert.ts';

const options = { head: 'auto', dropout: 0.1, fuse: true, seed: 1 } as const;

test('inputs, head, dropout sites, groups and fused patterns are found by structure', async () => {
  const graph = await tinyGraph();
  const prepared = await prepareBert(graph, options);
  const { training } = reportModel({ file: 'tiny.onnx', producer: '', opset: 17, graph }, prepared);
  assert.deepEqual(
    training?.inputs.map(({ role }) => role),
    ['ids', 'mask', 'types'],
  );
  assert.deepEqual(training.head, { kind: 'existing', classes: 3, logits: 'logits' });
  const layers = training.dropout.attention;
  assert.ok(layers >= 2);
  assert.deepEqual(training.dropout, {
    embeddings: 1,
    attention: layers,
    relativePositions: 0,
    sublayers: 2 * layers,
    classifier: 1,
  });
  assert.deepEqual(training.fused, {
    LayerNormalization: 2 * layers + 1,
    BiasGelu: layers,
    Attention: layers,
    ResidualLayerNormalization: 2 * layers,
  });
  const body = training.groups.filter(({ group }) => group === 'body');
  assert.deepEqual(
    training.groups.filter(({ group }) => group === 'head').map(({ tensors }) => tensors),
    [1, 1],
  );
  assert.equal(
    body.reduce((sum, { tensors }) => sum + tensors, 0),
    training.parameters.tensors - 2,
  );
  assert.deepEqual(training.frozen, []);
});

test('ops that are spelled in standard ones are counted apart', async () => {
  const graph = await tinyGraph();
  const gelu = { op: 'QuickGelu', domain: 'com.microsoft', inputs: [graph.outputs[0]!], outputs: ['gelu'] };
  graph.nodes.push({ ...gelu, name: 'gelu', attributes: new Map() });
  const source = { file: 'tiny.onnx', producer: '', opset: 17, graph };
  const { training } = reportModel(source, await prepareBert(graph, options));
  assert.deepEqual(training!.lowered, { 'com.microsoft::QuickGelu': 1 });
});

test('preparing leaves the imported graph as it was', async () => {
  const graph = await tinyGraph();
  const before = JSON.stringify(graph.nodes.map(({ inputs, outputs, op }) => [op, inputs, outputs]));
  await prepareBert(graph, options);
  assert.equal(JSON.stringify(graph.nodes.map(({ inputs, outputs, op }) => [op, inputs, outputs])), before);
});

test('a classifier of another size gets new weights, and the same seed the same ones', async (t) => {
  const first = await prepareTiny({ classes: 5 });
  assert.equal(first.head.kind, 'resized');
  assert.deepEqual(first.head.initializers, (await prepareTiny({ classes: 5 })).head.initializers);
  assert.notDeepEqual(
    first.head.initializers,
    (await prepareTiny({ classes: 5, seed: 2 })).head.initializers,
  );
  const engine = await createEngine(first.plan, { threads: 1 });
  t.after(() => engine.close());
  const { data, classes } = await engine.infer(engine.student, tinyBatch());
  assert.equal(classes, 5);
  assert.equal(data.length, 20);
});

/** The tiny BERT without its classifier: pooled state and token states as outputs. */
async function encoder(...outputs: ('hidden' | 'pooled')[]): Promise<Graph> {
  const graph = await tinyGraph();
  inferGraph(graph);
  const { head, sites } = await prepareTiny();
  const states = findLayerNormalizations(new GraphView(graph)).at(-1)!.output;
  assert.equal(sites.classifier[0], head.classifierInput);
  graph.outputs = outputs.map((output) => (output === 'hidden' ? states : head.classifierInput));
  graph.nodes = graph.nodes.filter(({ outputs: made }) => made[0] !== head.logits);
  return graph;
}

test('an encoder gets a classifier on its pooled state, its first state or the mean of its states', async (t) => {
  const cases = [
    { kind: 'auto', outputs: ['hidden', 'pooled'], expected: 'pooler', tensors: 2 },
    { kind: 'auto', outputs: ['hidden'], expected: 'cls', tensors: 2 },
    { kind: 'pooler', outputs: ['hidden'], expected: 'pooler', tensors: 4 },
    { kind: 'mean', outputs: ['hidden', 'pooled'], expected: 'mean', tensors: 2 },
  ] as const;
  for (const { kind, outputs, expected, tensors } of cases) {
    const graph = await encoder(...outputs);
    const { plan, head } = await prepareBert(graph, { ...options, dropout: 0, head: kind, classes: 4 });
    assert.equal(head.kind, expected);
    assert.equal(head.parameters.length, tensors);
    assert.equal(plan.parameters.filter(({ group }) => group === 'head').length, tensors);
    const engine = await createEngine(plan, { threads: 1 });
    t.after(() => engine.close());
    const { classes } = await engine.infer(engine.student, tinyBatch());
    assert.equal(classes, 4);
  }
});

test('mean pooling does not see padding', async (t) => {
  const graph = await encoder('hidden');
  const { plan } = await prepareBert(graph, { ...options, dropout: 0, head: 'mean', classes: 2 });
  const engine = await createEngine(plan, { threads: 1 });
  t.after(() => engine.close());
  const batch = tinyBatch();
  const before = (await engine.infer(engine.student, batch)).data;
  const changed = { ...batch, inputIds: batch.inputIds.map((id, i) => (batch.attentionMask[i] ? id : 7n)) };
  assert.notDeepEqual(changed.inputIds, batch.inputIds);
  assert.ok(relativeError((await engine.infer(engine.student, changed)).data, before) < 1e-6);
});

test("a classifier's own dense layer learns with the head's rate as long as it was never trained", async () => {
  const groupOf = async ({ activation, fresh }: { activation: string; fresh: boolean }) => {
    const graph = await tinyGraph();
    graph.nodes.findLast(({ op }) => op === 'Tanh')!.op = activation;
    const [weight, bias] = ['bert.pooler.dense.weight', 'bert.pooler.dense.bias'];
    const { dtype, dims, bytes } = graph.initializers.get(bias!)!;
    if (fresh) graph.initializers.set(bias!, { dtype, dims, bytes: new Uint8Array(bytes.length) });
    const { plan } = await prepareBert(graph, options);
    const found = plan.parameters.filter(({ name }) => name === weight || name === bias);
    return found.map(({ group }) => group);
  };
  // as DistilBERT has it
  assert.deepEqual(await groupOf({ activation: 'Relu', fresh: false }), ['body', 'body']);
  assert.deepEqual(await groupOf({ activation: 'Relu', fresh: true }), ['head', 'head']);
  // BERT's pooler
  assert.deepEqual(await groupOf({ activation: 'Tanh', fresh: true }), ['body', 'body']);
});

test('a graph that is no text encoder is refused with what was found', async () => {
  const graph = await tinyGraph();
  graph.outputs = graph.outputs.filter(() => false);
  await assert.rejects(prepareBert(graph, options), (error: SesdError) => {
    assert.ok(error instanceof SesdError);
    assert.equal(error.code, 'SESD_BAD_MODEL');
    assert.match(error.message, /No output of the graph/);
    return true;
  });
});

test('an op without a gradient rule on the path is refused by op and node', async () => {
  const graph = await tinyGraph();
  const gelu = graph.nodes.find(({ op }) => op === 'Erf')!;
  gelu.op = 'Det';
  await assert.rejects(prepareBert(graph, { ...options, fuse: false }), (error: SesdError) => {
    assert.equal(error.code, 'SESD_NO_GRADIENT_RULE');
    assert.match(error.message, /Det/);
    assert.ok(error.message.includes(gelu.name));
    return true;
  });
});

test('weights beyond the student start as its copy and move on their own', async (t) => {
  const engine = await tinyEngine();
  t.after(() => engine.close());
  const past = await engine.createWeights();
  await engine.forward(tinyBatch(), { dropoutKey: [0, 0] });
  await engine.backward(new Float32Array(12).fill(1));
  await engine.update({
    step: 1,
    learningRate: 1e-2,
    headLearningRate: 1e-2,
    weightDecay: 0,
    maxGradNorm: 1,
  });
  const [now, then] = [
    await engine.infer(engine.student, tinyBatch()),
    await engine.infer(past, tinyBatch()),
  ];
  assert.notDeepEqual(now.data, then.data);
  await engine.mean(past, [past, engine.student]);
  const middle = await engine.infer(past, tinyBatch());
  assert.notDeepEqual(middle.data, then.data);
  await past.copyFrom(engine.student);
  assert.deepEqual((await engine.infer(past, tinyBatch())).data, now.data);
});

test('weights that find no place are an error with the way out, and no bug', async (t) => {
  const engine = await tinyEngine();
  t.after(() => engine.close());
  await assert.rejects(engine.createWeights({ folder: '/nowhere/at/all' }), (error: SesdError) => {
    assert.ok(error instanceof SesdError);
    assert.equal(error.code, 'SESD_OUTPUT');
    assert.match(error.message, /cannot be kept on disk: .*\/nowhere\/at\/all/);
    assert.match(error.hint ?? '', /--pool-storage memory/);
    return true;
  });
});
