import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { prepareBert } from '../../src/bert/prepare.ts';
import type { Graph } from '../../src/graph/graph.ts';
import { importGraph } from '../../src/graph/import.ts';
import { readModel } from '../../src/onnx/read.ts';

const at = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));

/** As PyTorch's two exporters and our own generator write BERT. */
const files = {
  torchscript: at('test/fixtures/tiny-bert/model.onnx'),
  dynamo: at('test/fixtures/tiny-bert/model-dynamo.onnx'),
  own: at('models/mini-bert/model.onnx'),
};

/** Inputs that the CUDA provider's kernels read from the host's memory (InputMemoryType in core/providers/cuda). */
const hostInputs: Readonly<Record<string, readonly number[]>> = {
  ...{ Reshape: [1], Expand: [1], ConstantOfShape: [0], Range: [0, 1, 2], Slice: [1, 2, 3, 4], Tile: [1] },
  ...{ Unsqueeze: [1], Squeeze: [1], Split: [1], Pad: [1, 2, 3], CumSum: [1], OneHot: [1], Trilu: [1] },
  ...{ ReduceSum: [1], ReduceMean: [1], ReduceMax: [1], ReduceMin: [1], ReduceProd: [1], Clip: [1, 2] },
};

/**
 * Nodes that ONNX Runtime would put on the CPU although CUDA has kernels for them: those that compute from nothing but
 * what is on the host, the outputs of Shape and Size to begin with
 * (onnxruntime/core/framework/fallback_cpu_capability.cc). session.disable_cpu_ep_fallback refuses a graph with any.
 */
function placedOnHost(graph: Graph): string[] {
  const onHost = new Set<string>();
  const given = new Set([...graph.inputs, ...graph.initializers.keys(), '']);
  const placed: string[] = [];
  for (const { op, name, inputs, outputs } of graph.nodes) {
    const follows =
      inputs.some((input) => onHost.has(input)) &&
      inputs.every(
        (input, index) => given.has(input) || (onHost.has(input) && !hostInputs[op]?.includes(index)),
      );
    if (op !== 'Shape' && op !== 'Size') {
      if (!follows) continue;
      placed.push(`${op} ${name}`);
    }
    for (const output of outputs) onHost.add(output);
  }
  return placed;
}

describe('shapes for a GPU', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sesd-'));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  async function graphsOf(file: string, device: 'cpu' | 'cuda', head: 'auto' | 'mean' = 'auto') {
    const { plan } = await prepareBert(importGraph(await readModel(file)), {
      ...{ head, classes: 3, dropout: 0.1, seed: 1, fuse: false, device },
    });
    const parts = { forward: plan.forward, backward: plan.backward, inference: plan.inference };
    const graphs: [string, Graph][] = [];
    for (const [part, { model }] of Object.entries(parts)) {
      const path = join(folder, 'graph.onnx');
      await writeFile(path, model);
      graphs.push([part, importGraph(await readModel(path))]);
    }
    return graphs;
  }

  for (const [name, file] of Object.entries(files)) {
    for (const head of ['auto', 'mean'] as const) {
      test(`${name}, head ${head}: no node would be placed on the CPU`, async () => {
        for (const [part, graph] of await graphsOf(file, 'cuda', head)) {
          assert.deepEqual(placedOnHost(graph), [], part);
        }
      });
    }
  }

  test('without the cut some would be', async () => {
    for (const [part, graph] of await graphsOf(files.torchscript, 'cpu')) {
      assert.match(placedOnHost(graph).join(), /Gather/, part);
    }
  });
});
