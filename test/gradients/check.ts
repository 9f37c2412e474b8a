import assert from 'node:assert/strict';
import { test } from 'node:test';
import { backward } from '../../src/autodiff/backward.ts';
import { GraphBuilder } from '../../src/graph/builder.ts';
import type { Dim } from '../../src/graph/dims.ts';
import { type DataType, type Graph, isFloat, type Node, opName } from '../../src/graph/graph.ts';
import { type InferenceState, newInference } from '../../src/graph/infer/infer.ts';
import { evaluate } from './evaluator/evaluate.ts';
import { count, type Tensor, tensor } from './evaluator/tensor.ts';
import { runOnRuntime } from './runtime.ts';

/** A graph under test: its inputs are fed under these names, `build` adds the nodes and returns the output. */
export interface GradientCase {
  inputs: Readonly<Record<string, Tensor>>;
  build(builder: GraphBuilder): string | readonly string[];
  /** Inputs to differentiate by; all float ones otherwise. */
  wrt?: readonly string[];
  modes?: readonly DimsMode[];
  fused?: boolean;
  /** The op draws its own random numbers: the runtime's cannot be foretold. */
  random?: boolean;
  /** Relative to the largest element; 1e-7 for doubles unless given. */
  tolerance?: number;
  /** Further claims about the nodes the gradient is made of, with static shapes. */
  expectNodes?(nodes: readonly Node[]): void;
}

/**
 * What inference is told of the inputs: their sizes; one symbol for each size (1 stays a number); a symbol of
 * its own for every axis, so that nothing is known to be equal; not even ranks.
 */
export type DimsMode = 'static' | 'named' | 'anonymous' | 'unranked';

export const RANKED: readonly DimsMode[] = ['static', 'named', 'anonymous'];
export const ALL: readonly DimsMode[] = [...RANKED, 'unranked'];

/** A fixed sequence of pseudo-random numbers in (−1, 1): a multiplicative generator modulo 2³¹ − 1. */
export function random(dims: readonly number[], seed = 1, dtype: DataType = 'float64'): Tensor {
  let state = (seed * 48271 + 11) % 2147483647;
  const next = () => {
    state = (state * 48271) % 2147483647;
    return (2 * state) / 2147483647 - 1;
  };
  return tensor(dtype, dims, Array.from({ length: count(dims) }, next));
}

/** As random, but at least 0.5. */
export function positive(dims: readonly number[], seed = 1): Tensor {
  const values = random(dims, seed);
  return { ...values, data: values.data.map((value) => 1.25 + 0.75 * value) };
}

export function ints(dims: readonly number[], values: readonly number[]): Tensor {
  return tensor('int64', dims, values);
}

/**
 * Registers one test per case: the rule of `op` against central differences in float64, the same nodes run by
 * ONNX Runtime in float32, and inference against evaluation.
 */
export function gradientTests(op: string, cases: Readonly<Record<string, GradientCase>>): void {
  for (const [name, given] of Object.entries(cases)) {
    test(`${op}: ${name}`, async () => {
      for (const mode of given.modes ?? RANKED) await checkCase(op, given, mode);
    });
  }
}

function declaredDims(mode: DimsMode, name: string, dims: readonly number[]): readonly Dim[] | undefined {
  if (mode === 'unranked') return undefined;
  return dims.map((dim, axis) => {
    if (mode === 'static') return dim;
    if (mode === 'anonymous') return `${name}${axis}`;
    return dim === 1 ? 1 : `size${dim}`;
  });
}

/** One case under one mode. */
export async function checkCase(op: string, given: GradientCase, mode: DimsMode): Promise<void> {
  const graph: Graph = {
    opset: 18,
    inputs: Object.keys(given.inputs),
    outputs: [],
    initializers: new Map(),
    nodes: [],
    types: new Map(),
  };
  const feeds = new Map(Object.entries(given.inputs));
  for (const [name, { dtype, dims }] of feeds) {
    graph.types.set(name, { dtype, dims: declaredDims(mode, name, dims) });
  }
  const inference = newInference();
  const builder = new GraphBuilder(graph, inference);
  const outputs = [given.build(builder)].flat();
  assert.ok(
    graph.nodes.some((node) => opName(node) === op),
    `${op} is in the graph it is tested with`,
  );

  const forward = [...graph.nodes];
  const made = evaluate(graph, feeds);
  const seeds = new Map<string, Tensor>();
  for (const [index, output] of outputs.entries()) {
    const { dtype, dims } = made.get(output)!;
    graph.types.set(`seed${index}`, graph.types.get(output)!);
    seeds.set(output, random(dims, 97 + index, dtype));
    feeds.set(`seed${index}`, seeds.get(output)!);
  }
  const wrt = given.wrt ?? Object.keys(given.inputs).filter((name) => isFloat(given.inputs[name]!.dtype));
  const gradients = backward(graph, builder, {
    outputs: new Map(outputs.map((output, index) => [output, `seed${index}`])),
    wrt,
    fused: given.fused ?? false,
  });
  if (mode === 'static') given.expectNodes?.(graph.nodes.slice(forward.length));

  const values = evaluate(graph, feeds);
  checkInference(graph, inference, values, mode);
  for (const name of wrt) {
    const gradient = values.get(gradients.get(name) ?? assert.fail(`no gradient reaches ${name}`))!;
    const numeric = differences(graph, forward, feeds, seeds, name);
    assert.deepEqual(gradient.dims, given.inputs[name]!.dims, `${mode}: shape of the gradient by ${name}`);
    assertClose(gradient, numeric, given.tolerance, `${mode}: gradient by ${name}`);
  }
  if (!given.random) await checkOnRuntime(graph, feeds, values, [...new Set(gradients.values())], mode);
}

/** The runtime takes the nodes as they are and agrees; it has no kernels for the `sesd` domain here. */
async function checkOnRuntime(
  graph: Graph,
  feeds: ReadonlyMap<string, Tensor>,
  values: ReadonlyMap<string, Tensor>,
  gradients: readonly string[],
  mode: DimsMode,
): Promise<void> {
  const outputs = gradients.filter((name) => !feeds.has(name));
  if (outputs.length === 0 || graph.nodes.some((node) => node.domain === 'sesd')) return;
  for (const [name, { dims, data }] of await runOnRuntime(graph, feeds, outputs)) {
    const expected = values.get(name)!;
    assert.deepEqual(dims, expected.dims, `${mode}: shape of ${name} on the runtime`);
    const scale = Math.max(1, ...expected.data.map(Math.abs));
    for (const [i, value] of expected.data.entries()) {
      assert.ok(
        Math.abs(data[i]! - value) <= 1e-4 * scale,
        `${mode}: ${name} on the runtime, element ${i}: expected ${value}, found ${data[i]}`,
      );
    }
  }
}

const STEP = 1e-5;

/** Central differences of Σ seed·output by every element of one input. */
function differences(
  graph: Graph,
  nodes: Node[],
  feeds: ReadonlyMap<string, Tensor>,
  seeds: ReadonlyMap<string, Tensor>,
  name: string,
): Tensor {
  const x = feeds.get(name)!;
  const loss = (index: number, step: number) => {
    const moved = { ...x, data: x.data.slice() };
    moved.data[index] = moved.data[index]! + step;
    const values = evaluate({ ...graph, nodes }, new Map(feeds).set(name, moved));
    let sum = 0;
    for (const [output, seed] of seeds) {
      for (const [i, value] of values.get(output)!.data.entries()) sum += seed.data[i]! * value;
    }
    return sum;
  };
  const slopes = x.data.map((_, index) => (loss(index, STEP) - loss(index, -STEP)) / (2 * STEP));
  return { ...x, data: slopes };
}

/** Graphs in float32 hold constants rounded to their type, so their gradients are less exact. */
function assertClose(actual: Tensor, expected: Tensor, relative: number | undefined, what: string): void {
  const scale = Math.max(1, ...expected.data.map(Math.abs));
  const tolerance = (relative ?? (expected.dtype === 'float64' ? 1e-7 : 1e-6)) * scale;
  for (const [i, value] of expected.data.entries()) {
    const found = actual.data[i]!;
    assert.ok(
      Math.abs(found - value) <= tolerance,
      `${what}, element ${i}: expected ${value}, found ${found}`,
    );
  }
}

/** Holds every inferred type, dim and shape element to what evaluation found, each symbol meaning one number. */
export function checkInference(
  graph: Graph,
  inference: InferenceState,
  values: ReadonlyMap<string, Tensor>,
  what = '',
): void {
  const bound = new Map<string, number>();
  const holds = (dim: Dim, size: number, where: string) => {
    if (typeof dim === 'number') return assert.equal(dim, size, where);
    let product = 1;
    let open: string | undefined;
    for (const factor of dim.split('*')) {
      const known = /^\d+$/.test(factor) ? Number(factor) : bound.get(factor);
      if (known === undefined) open = factor;
      else product *= known;
    }
    if (open === undefined) assert.equal(product, size, `${where}: ${dim}`);
    else if (product !== 0) bound.set(open, size / product);
  };
  const names = [...graph.inputs, ...graph.nodes.flatMap((node) => node.outputs.filter(Boolean))];
  for (const name of names) {
    const { dtype, dims } = values.get(name)!;
    const type = graph.types.get(name);
    const producer = graph.nodes.find((node) => node.outputs.includes(name));
    const where = `${what}: type of ${name}${producer ? ` (${producer.op} of ${producer.inputs})` : ''}`;
    assert.ok(type, `${where} is inferred`);
    assert.equal(type.dtype, dtype, where);
    if (type.dims !== undefined) assert.equal(type.dims.length, dims.length, `${where}: rank`);
    for (const [axis, dim] of (type.dims ?? []).entries()) holds(dim, dims[axis]!, `${where}, axis ${axis}`);
    for (const [index, element] of (inference.shapes.get(name) ?? []).entries()) {
      holds(element, values.get(name)!.data[index]!, `${where}, element ${index}`);
    }
  }
}
