import assert from 'node:assert/strict';
import { test } from 'node:test';
import { prepareBert } from '../../src/bert/prepare.ts';
import { SesdError } from '../../src/errors.ts';
import type { Graph, Node } from '../../src/graph/graph.ts';
import { tinyGraph } from './tiny-bert.ts';

const options = { head: 'auto', dropout: 0.1, fuse: true, seed: 1 } as const;

async function refused(graph: Graph, code: string, ...parts: RegExp[]): Promise<void> {
  await assert.rejects(prepareBert(graph, options), (error: SesdError) => {
    assert.ok(error instanceof SesdError, String(error));
    assert.equal(error.code, code);
    for (const part of parts) assert.match(`${error.message} ${error.hint}`, part);
    return true;
  });
}

/** Puts a node behind every Erf of the graph. */
async function behindErf(make: (input: string, output: string) => Partial<Node>): Promise<Graph> {
  const graph = await tinyGraph();
  for (const erf of graph.nodes.filter(({ op }) => op === 'Erf')) {
    const output = erf.outputs[0]!;
    erf.outputs = [`${output}/before`];
    const node = { name: 'culprit', op: 'If', domain: '', attributes: new Map() };
    const made = {
      ...node,
      inputs: [`${output}/before`],
      outputs: [output],
      ...make(`${output}/before`, output),
    };
    graph.nodes.splice(graph.nodes.indexOf(erf) + 1, 0, made);
  }
  return graph;
}

test('control flow is refused by node, with the way out', async () => {
  for (const op of ['If', 'Loop', 'Scan']) {
    const graph = await behindErf(() => ({ op, attributes: new Map([['body', { kind: 'graph' }]]) }));
    await refused(graph, 'SESD_UNSUPPORTED_OP', /'culprit'/, new RegExp(`\\(${op}\\)`), /traced/);
  }
});

test('what an If takes from outside is no less on the path for not being among its inputs', async () => {
  const graph = await behindErf(() => ({
    inputs: [],
    attributes: new Map([['then_branch', { kind: 'graph' }]]),
  }));
  await refused(graph, 'SESD_UNSUPPORTED_OP', /'culprit' \(If\)/);
});

test('operators of another library are refused by node and domain', async () => {
  const graph = await behindErf(() => ({ op: 'Frobnicate', domain: 'acme.ai' }));
  await refused(graph, 'SESD_UNSUPPORTED_OP', /'culprit' \(acme\.ai::Frobnicate\)/, /domain acme\.ai/);
});

test('of two classifiers none is taken for the one that is meant', async () => {
  const graph = await tinyGraph();
  const [logits] = graph.outputs as [string];
  const own = graph.nodes.find(({ outputs }) => outputs.includes(logits))!;
  graph.nodes.push({
    ...own,
    name: 'second',
    inputs: own.inputs.map((name) => (graph.initializers.has(name) ? `${name}/second` : name)),
    outputs: ['second'],
  });
  for (const name of own.inputs.filter((input) => graph.initializers.has(input))) {
    graph.initializers.set(`${name}/second`, graph.initializers.get(name)!);
    graph.types.set(`${name}/second`, graph.types.get(name)!);
  }
  graph.outputs.push('second');
  await refused(graph, 'SESD_BAD_MODEL', /2 classifiers/, /logits/, /second/, /--head cls/);
  const { head } = await prepareBert(graph, { ...options, head: 'cls' });
  assert.equal(head.kind, 'cls');
});

test('two inputs that could be masks are refused by name', async () => {
  const graph = await tinyGraph();
  const input = 'decoder_input_ids';
  graph.inputs.push(input);
  graph.types.set(input, { dtype: 'int64', dims: ['batch', 'sequence'] });
  const mask = graph.nodes.find(({ inputs }) => inputs.includes('attention_mask'))!;
  graph.nodes.splice(graph.nodes.indexOf(mask), 0, {
    ...{ name: 'sum', op: 'Add', domain: '', attributes: new Map() },
    ...{ inputs: ['attention_mask', input], outputs: ['both'] },
  });
  mask.inputs = mask.inputs.map((name) => (name === 'attention_mask' ? 'both' : name));
  await refused(graph, 'SESD_BAD_MODEL', /attention_mask/, /decoder_input_ids/, /the encoder/);
});
