import { GraphBuilder } from '../../../graph/builder.ts';
import { CANONICAL_OPSET, type Graph } from '../../../graph/graph.ts';
import { newInference } from '../../../graph/infer/infer.ts';
import { serializeGraph } from '../../../graph/serialize.ts';
import type { NativeAddon } from '../../contract.ts';

/** Options of the CUDA provider. TF32 would round the operands of products to 11 bits: fp32 means all 24. */
export const cudaOptions: Readonly<Record<string, string>> = { device_id: '0', use_tf32: '0' };

/** Computes one sum on the GPU. Rejects with what the runtime says when it cannot. */
export async function tryCuda(addon: NativeAddon): Promise<void> {
  const type = { dtype: 'float32', dims: ['n'] } as const;
  const graph: Graph = {
    opset: CANONICAL_OPSET,
    inputs: ['x'],
    outputs: ['y'],
    initializers: new Map(),
    nodes: [],
    types: new Map([['x', type]]),
  };
  new GraphBuilder(graph, newInference()).op('Add', ['x', 'x'], { name: 'y' });
  const session = await addon.createSession(serializeGraph(graph), { cuda: cudaOptions, deviceOnly: true });
  const binding = session.bind({ inputs: [] });
  try {
    const x = { dtype: 'float32', dims: [1], data: Float32Array.of(1) } as const;
    await binding.run({ feeds: { x }, fetch: ['y'] });
  } finally {
    binding.release();
    session.release();
  }
}
