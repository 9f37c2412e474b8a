import type { Batch } from '../engine.ts';
import type { TrainingPlan } from '../plan.ts';
import { feedBatch } from './feeds.ts';
import { loadAddon } from './load-addon.ts';
import { type OnnxRuntimeOptions, openRuntime } from './onnx-runtime.ts';
import { cancellable, createSession } from './sessions.ts';

/**
 * Runs graphs without weights, one output of float32, once each.
 *
 * @throws SesdError (when called) SESD_NATIVE_LOAD, SESD_BAD_MODEL where the runtime does not take the graph,
 *   SESD_RUNTIME where it fails
 */
export function graphRunner(options: OnnxRuntimeOptions) {
  return async (
    graph: { model: Uint8Array; feeds: TrainingPlan['feeds']; output: string },
    batch: Batch,
  ): Promise<{ dims: readonly number[]; data: Float32Array }> => {
    openRuntime(options);
    const session = await createSession(loadAddon(), graph.model, 'graph');
    const binding = session.bind({ inputs: [] });
    try {
      const run = () => binding.run({ feeds: feedBatch(graph, batch), fetch: [graph.output] });
      const { dims, data } = (await cancellable(binding, undefined, run)).fetched[graph.output]!;
      return { dims, data: data as Float32Array };
    } finally {
      binding.release();
      session.release();
    }
  };
}
