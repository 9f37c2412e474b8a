import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as passes from '../../src/engine/backends/device/pass-graphs.ts';
import { GraphBuilder } from '../../src/graph/builder.ts';
import { CANONICAL_OPSET, type DataType, type Graph } from '../../src/graph/graph.ts';
import { newInference } from '../../src/graph/infer/infer.ts';
import { checkCuda } from '../../src/graph/opset/check-cuda.ts';
import { prepareTiny } from '../bert/tiny-bert.ts';

function graphOf(types: Record<string, DataType>, build: (builder: GraphBuilder) => void): Graph {
  const graph: Graph = {
    opset: CANONICAL_OPSET,
    inputs: Object.keys(types),
    outputs: [],
    initializers: new Map(),
    nodes: [],
    types: new Map(Object.entries(types).map(([name, dtype]) => [name, { dtype, dims: ['n', 4] }])),
  };
  build(new GraphBuilder(graph, newInference()));
  return graph;
}

describe('what the CUDA provider has kernels for', () => {
  for (const file of ['model.onnx', 'model-dynamo.onnx'] as const) {
    for (const dropout of [0, 0.1]) {
      for (const precision of ['fp32', 'bf16', 'fp16'] as const) {
        test(`every node of ${file} with dropout ${dropout} in ${precision}`, async () => {
          await prepareTiny({ fuse: false, device: 'cuda', dropout, precision }, file);
        });
      }
    }
  }

  test('every node of the passes over weights', () => {
    const { zerosGraph, copyPass, addPass, scalePass, squaresPass, adamWPass, blendPass } = passes;
    const { runningMeanPass, meanPass } = passes;
    const types = ['float32', 'bfloat16'] as const;
    const graphs = [
      ...types.map(zerosGraph),
      ...types.flatMap((from) => types.map((to) => copyPass(from, to))),
      ...[
        addPass(),
        scalePass(),
        squaresPass(),
        adamWPass(),
        blendPass(),
        runningMeanPass(),
        meanPass(types),
      ],
    ];
    for (const graph of graphs) {
      checkCuda(graph);
      for (const { outputs } of graph.nodes)
        for (const output of outputs) assert.ok(graph.types.get(output), `${output} has no type`);
    }
  });

  const refused: [string, RegExp, Graph][] = [
    [
      'an operator',
      /no CUDA kernel of Bernoulli$/,
      graphOf({ x: 'float32' }, (b) => b.op('Bernoulli', ['x'])),
    ],
    [
      'a type',
      /CUDA kernel of Pad with int64 for input 0/,
      graphOf({ x: 'int64' }, (b) => b.op('Pad', ['x', b.ints(0, 0, 1, 1)])),
    ],
    [
      'a fused operator',
      /kernel of sesd::BiasGelu/,
      graphOf({ x: 'float32' }, (b) => b.op('BiasGelu', ['x'], { domain: 'sesd' })),
    ],
    [
      'a type of a later one of any number',
      /Concat with string for input 1/,
      graphOf({ x: 'float32', y: 'string' }, (b) => b.op('Concat', ['x', 'y'], { attributes: { axis: 0 } })),
    ],
  ];
  for (const [name, message, graph] of refused) {
    test(`${name} without a kernel is refused by name`, () => {
      assert.throws(() => checkCuda(graph), { code: 'SESD_UNSUPPORTED_OP', message });
    });
  }

  test('what computes shapes stays on the host and needs none', () => {
    const onShapes = graphOf({ x: 'float32' }, (b) => b.op('ReduceProd', [b.op('Shape', ['x'])]));
    checkCuda(onShapes);
    const onValues = graphOf({ x: 'int64' }, (b) => b.op('ReduceProd', ['x']));
    assert.throws(() => checkCuda(onValues), { message: /ReduceProd with int64/ });
  });
});
