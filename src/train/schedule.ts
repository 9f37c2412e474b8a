/** Optimizer updates of a run. */
export interface StepPlan {
  perEpoch: number;
  /** T: the updates the learning rate is scheduled over. */
  total: number;
}

export function planSteps(run: {
  examples: number;
  batchSize: number;
  accumulate: number;
  epochs: number;
  maxSteps?: number | undefined;
}): StepPlan {
  const perEpoch = Math.ceil(run.examples / (run.batchSize * run.accumulate));
  return { perEpoch, total: run.maxSteps ?? perEpoch * run.epochs };
}

/**
 * What the peak learning rate is multiplied by in update `step` of 1..total: linear from 0 over the first
 * floor(warmup · total) updates, then linear towards 0.
 */
export function learningRateFactor(step: number, total: number, warmup: number): number {
  const done = step - 1;
  const warmupSteps = Math.floor(warmup * total);
  if (done < warmupSteps) return done / Math.max(1, warmupSteps);
  return Math.max(0, (total - done) / Math.max(1, total - warmupSteps));
}

/** The norm that gradients are clipped to. */
export function clippingNorm({ maxGradNorm }: { maxGradNorm: number | 'none' }): number {
  return maxGradNorm === 'none' ? Number.POSITIVE_INFINITY : maxGradNorm;
}
