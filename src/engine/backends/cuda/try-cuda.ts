import { GraphBuilder } from '../../../graph/builder.ts';
import { CANONICAL_OPSET, type Graph } from '../../../graph/graph.ts';
import { newInference } from '../../../graph/infer/infer.ts';
import type { HalfType } from '../../../graph/passes/mix-precision.ts';
import { serializeGraph } from '../../../graph/serialize.ts';
import type { NativeAddon } from '../../contract.ts';

/** Options of the CUDA provider. TF32 would round the operands of products to 11 bits: fp32 means all 24. */
export const cudaOptions: Readonly<Record<string, string>> = { device_id: '0', use_tf32: '0' };

/** Computes one product on the GPU, of numbers of this type. Rejects with what the runtime says when it cannot. */
export async function tryCuda(addon: NativeAddon, type: HalfType | 'float32' = 'float32'): Promise<void> {
  const graph: Graph = {
    opset: CANONICAL_OPSET,
    inputs: ['x'],
    outputs: ['y'],
    initializers: new Map(),
    nodes: [],
    types: new Map([['x', { dtype: 'float32', dims: [8, 8] }]]),
  };
  const builder = new GraphBuilder(graph, newInference());
  const x = builder.cast('x', type);
  builder.cast(builder.op('MatMul', [x, x]), 'float32', 'y');
  const session = await addon.createSession(serializeGraph(graph), { cuda: cudaOptions, deviceOnly: true });
  const binding = session.bind({ inputs: [] });
  try {
    const data = new Float32Array(64).fill(1);
    await binding.run({ feeds: { x: { dtype: 'float32', dims: [8, 8], data } }, fetch: ['y'] });
  } finally {
    binding.release();
    session.release();
  }
}
