import assert from 'node:assert/strict';
import type { HeadKind } from '../../src/bert/head.ts';
import { prepareBert } from '../../src/bert/prepare.ts';
import { openRuntime } from '../../src/engine/backends/onnx-runtime.ts';
import { createDeviceEngine, type DeviceEngine } from '../../src/engine/backends/onnx-runtime-device.ts';
import type { TrainingPlan } from '../../src/engine/plan.ts';
import { importGraph } from '../../src/graph/import.ts';
import { restoreFreshVectors } from '../../src/onnx/fresh-vectors.ts';
import { readModel } from '../../src/onnx/read.ts';
import { shareEqualMatrices } from '../../src/onnx/shared-matrices.ts';
import { placedOnHost } from '../graph/placed-on-host.ts';

/** The graphs of a model that would run on a GPU. */
async function planOnDevice(path: string, head: HeadKind, dropout: number): Promise<TrainingPlan> {
  const model = await readModel(path);
  shareEqualMatrices(model);
  restoreFreshVectors(model);
  const options = { head, classes: 3, dropout, seed: 1, fuse: false, device: 'cuda' } as const;
  return (await prepareBert(importGraph(model), options)).plan;
}

/** None of the graphs' nodes may run on the CPU. */
export async function checkPlacement(path: string, head: HeadKind): Promise<void> {
  const { forward, backward, inference } = await planOnDevice(path, head, 0.1);
  for (const [name, { model }] of Object.entries({ forward, backward, inference }))
    assert.deepEqual(placedOnHost(model), [], `the ${name} graph`);
}

/** The engine that runs such graphs, without dropout, on the CPU's provider. */
export async function openOnDevice(path: string, head: HeadKind): Promise<DeviceEngine> {
  openRuntime({ threads: 1 });
  return createDeviceEngine(await planOnDevice(path, head, 0));
}
