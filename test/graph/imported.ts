import assert from 'node:assert/strict';
import type { Graph } from '../../src/graph/graph.ts';
import { importGraph } from '../../src/graph/import.ts';
import { serializeGraph } from '../../src/graph/serialize.ts';
import type { ModelProto, NodeProto } from '../../src/onnx/generated/onnx_pb.ts';
import { buildModel, bytesOf, float, type ModelInit } from '../onnx/build-model.ts';
import { difference, type Feed, ramp, runModel } from '../onnx/run-model.ts';

export const imported = (model: ModelProto): Graph =>
  importGraph({ path: 'model.onnx', proto: model, external: new Map() });

/** x [batch, 4, 6] through these nodes to y. */
export function model(nodes: NodeProto[], more: Partial<ModelInit> = {}): ModelProto {
  return buildModel({ inputs: { x: float('batch', 4, 6) }, outputs: { y: undefined }, nodes, ...more });
}

export const ops = (graph: Graph): string[] => graph.nodes.map(({ op }) => op);

/** The model and its canonical form compute the same. */
export async function agrees(
  build: ModelProto,
  feeds: Record<string, Feed> = { x: ramp(3, 4, 6) },
): Promise<Graph> {
  const graph = imported(build);
  const [before, after] = [
    await runModel(bytesOf(build), feeds),
    await runModel(serializeGraph(graph), feeds),
  ];
  for (const { name } of build.graph!.output) assert.ok(difference(before[name]!, after[name]!) < 1e-6, name);
  return graph;
}
