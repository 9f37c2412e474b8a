import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { InferenceSession, Tensor as RuntimeTensor } from 'onnxruntime-node';
import { type Graph, isFloat } from '../../../src/graph/graph.ts';
import { importGraph } from '../../../src/graph/import.ts';
import { type InferenceState, inferGraph } from '../../../src/graph/infer/infer.ts';
import { serializeGraph } from '../../../src/graph/serialize.ts';
import { readModel } from '../../../src/onnx/read.ts';
import { checkInference } from '../../gradients/check.ts';
import { fromTensorData, type Tensor, tensor } from '../../gradients/evaluator/tensor.ts';

const FIXTURES = join(import.meta.dirname, '../../fixtures/tiny-bert');
const BATCH = 2;
const SEQUENCE = 5;

/** The graph with its inputs declared [batch, sequence], inferred. */
async function inferred(path: string): Promise<{ graph: Graph; inference: InferenceState }> {
  const graph = importGraph(await readModel(path));
  for (const input of graph.inputs) {
    graph.types.set(input, { dtype: graph.types.get(input)!.dtype, dims: ['batch', 'sequence'] });
  }
  return { graph, inference: inferGraph(graph) };
}

/** Every value of the graph as the runtime computes it. */
async function run(graph: Graph): Promise<Map<string, Tensor>> {
  const made = graph.nodes.flatMap((node) => node.outputs.filter(Boolean));
  const session = await InferenceSession.create(serializeGraph(graph, { outputs: made }), {
    graphOptimizationLevel: 'disabled',
    intraOpNumThreads: 1,
    logSeverityLevel: 3,
  });
  const values = new Map([...graph.initializers].map(([name, data]) => [name, fromTensorData(data)]));
  const ids = new BigInt64Array(BATCH * SEQUENCE).fill(1n);
  for (const input of graph.inputs)
    values.set(input, tensor('int64', [BATCH, SEQUENCE], [...ids].map(Number)));
  const feeds = graph.inputs.map(
    (input) => [input, new RuntimeTensor('int64', ids, [BATCH, SEQUENCE])] as const,
  );
  for (const [name, { type, dims, data }] of Object.entries(await session.run(Object.fromEntries(feeds)))) {
    values.set(
      name,
      tensor(type as Tensor['dtype'], dims, Array.from(data as ArrayLike<number | bigint>, Number)),
    );
  }
  await session.release();
  return values;
}

/** Further exports with free dims may be named: SESD_MODELS=a.onnx:b.onnx. */
const models =
  process.env.SESD_MODELS?.split(':') ??
  ['model.onnx', 'model-dynamo.onnx'].map((file) => join(FIXTURES, file));

for (const path of models) {
  test(`${path.split('/').at(-1)}: every inferred dim is what the runtime computes`, async () => {
    const { graph, inference } = await inferred(path);
    const values = await run(graph);
    checkInference(graph, inference, values);
  });

  test(`${path.split('/').at(-1)}: float values have dims of batch and sequence alone`, async () => {
    const { graph } = await inferred(path);
    for (const node of graph.nodes) {
      for (const output of node.outputs.filter(Boolean)) {
        const type = graph.types.get(output)!;
        if (!isFloat(type.dtype)) continue;
        const dims = type.dims ?? assert.fail(`${node.op} ${output}: no dims`);
        for (const dim of dims) assert.ok(!String(dim).match(/[?~]/), `${node.op} ${output}: [${dims}]`);
      }
    }
    const scores = graph.nodes.find((node) => node.op === 'Softmax')!.outputs[0]!;
    assert.deepEqual(
      graph.types.get(scores)!.dims?.filter((dim) => typeof dim !== 'number'),
      ['batch', 'sequence', 'sequence'],
    );
  });
}
