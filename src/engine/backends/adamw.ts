import type { AdamWOptions } from '../contract.ts';
import type { UpdateOptions } from '../engine.ts';
import { type Layout, settleAverages } from './arena-weights.ts';

type Arenas = Pick<AdamWOptions, 'weights' | 'gradients' | 'm' | 'v'>;

/** An update in terms of arenas: each parameter with the rates of its group. */
export async function adamW(arenas: Arenas, layout: Layout, options: UpdateOptions): Promise<AdamWOptions> {
  return {
    ...arenas,
    segments: [...layout.places.values()].map(({ parameter, offset }) => ({
      offset,
      length: parameter.size,
      learningRate:
        parameter.learningRateScale *
        (parameter.group === 'head' ? options.headLearningRate : options.learningRate),
      weightDecay: parameter.decay ? options.weightDecay : 0,
    })),
    beta1: 0.9,
    beta2: 0.999,
    epsilon: 1e-8,
    step: options.step,
    maxGradNorm: options.maxGradNorm,
    before: await settleAverages(options.before ?? []),
    after: await settleAverages(options.after ?? []),
  };
}
