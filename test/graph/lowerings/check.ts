import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type AttributeInit, float32Tensor, GraphBuilder } from '../../../src/graph/builder.ts';
import { type Graph, opName, type TensorData } from '../../../src/graph/graph.ts';
import { inferGraph } from '../../../src/graph/infer/infer.ts';
import { lowerings } from '../../../src/graph/lowerings/index.ts';
import { lowerNodes } from '../../../src/graph/lowerings/lower-nodes.ts';
import { cloneGraph } from '../../../src/graph/rewrite.ts';
import { serializeGraph } from '../../../src/graph/serialize.ts';
import { normal } from '../../engine/run-op.ts';
import { difference, type Feed, runModel } from '../../onnx/run-model.ts';

export interface LoweringCase {
  /** Absent optional inputs are undefined. */
  inputs: readonly (Feed | undefined)[];
  /** Initializers by the index of the input; the op sees them as inputs like any other. */
  constants?: Readonly<Record<number, TensorData>>;
  /** The same in a form the runtime's kernel takes, where it lacks this one. */
  reference?: readonly (Feed | undefined)[];
  attributes?: Record<string, AttributeInit>;
  /** Which outputs are asked for. Default [0]. */
  outputs?: readonly number[];
  /** ai.onnx opset that has the op. Default 18. */
  opset?: number;
  /** Largest difference, relative to the largest element of an output. Default 1e-6. */
  tolerance?: number;
}

/** Runs an op as ONNX Runtime has it and as it is lowered, on the same inputs: the outputs have to agree. */
export function loweringTests(name: string, cases: Record<string, LoweringCase>): void {
  describe(`${name} in stock ops`, () => {
    for (const [title, given] of Object.entries(cases)) test(title, () => check(name, given));
  });
}

async function check(name: string, given: LoweringCase): Promise<void> {
  const { graph, feeds } = singleNode(name, given);
  const lowered = cloneGraph(graph);
  lowerNodes(lowered);
  for (const node of lowered.nodes) {
    assert.equal(node.domain, '', `${opName(node)} is left`);
    assert.equal(lowerings[opName(node)], undefined, `${opName(node)} is left`);
  }
  const oracle = given.reference ? singleNode(name, { ...given, inputs: given.reference }) : { graph, feeds };
  const opset = given.opset ?? graph.opset;
  const expected = await runModel(serializeGraph({ ...oracle.graph, opset }), oracle.feeds);
  const found = await runModel(serializeGraph(lowered), feeds);
  for (const [index, output] of graph.outputs.entries()) {
    const far = difference(found[output]!, expected[oracle.graph.outputs[index]!]!);
    assert.ok(far <= (given.tolerance ?? 1e-6), `${output}: differs by ${far}`);
  }
}

function singleNode(name: string, given: LoweringCase): { graph: Graph; feeds: Record<string, Feed> } {
  const [domain, op] = name.includes('::') ? name.split('::') : ['', name];
  const inputs = new Map<string, Feed>();
  const graph: Graph = {
    opset: 18,
    inputs: [],
    outputs: [],
    initializers: new Map(),
    nodes: [],
    types: new Map(),
  };
  const names = given.inputs.map((feed, index) => {
    const constant = given.constants?.[index];
    if (!feed && !constant) return '';
    const value = `input${index}`;
    if (constant) graph.initializers.set(value, constant);
    else inputs.set(value, feed!);
    graph.types.set(
      value,
      constant ? { dtype: constant.dtype, dims: constant.dims } : { dtype: feed!.type, dims: feed!.dims },
    );
    return value;
  });
  graph.inputs = [...inputs.keys()];
  const builder = new GraphBuilder(graph, inferGraph(graph));
  const wanted = given.outputs ?? [0];
  const made = builder.multi(op!, names, Math.max(...wanted) + 1, {
    domain: domain!,
    ...(given.attributes && { attributes: given.attributes }),
  });
  graph.outputs = wanted.map((index) => made[index]!);
  graph.nodes[0]!.outputs = made.map((name, index) => (wanted.includes(index) ? name : ''));
  return { graph, feeds: Object.fromEntries(inputs) };
}

/** Roughly normal float32 numbers, the same for the same seed. */
export function random(dims: number[], seed = 1): Feed {
  const size = dims.reduce((a, b) => a * b, 1);
  return { type: 'float32', dims, data: normal(size, seed) };
}

export function constant(dims: readonly number[], seed = 1): TensorData {
  return float32Tensor(
    normal(
      dims.reduce((a, b) => a * b, 1),
      seed,
    ),
    dims,
  );
}

export function integers(dims: number[], values: readonly number[]): Feed {
  return { type: 'int64', dims, data: BigInt64Array.from(values, BigInt) };
}

export function int32(dims: number[], values: readonly number[]): Feed {
  return { type: 'int32', dims, data: Int32Array.from(values) };
}
