/** What the largest gradient of a logit is scaled to: far above what float16 rounds to 0, 6·10⁻⁸, and far below its largest, 65504. */
const LARGEST = 2 ** 8;

/** What the scale is divided by where a gradient came out too large for float16. */
const BACKOFF = 2 ** 4;

/**
 * Scales to try, the next when gradients are not finite with the one before: powers of two, so that scaling rounds nothing.
 * The loss is scaled to keep small gradients in float16's range (Micikevicius et al., ICLR 2018, section 3.2). There the scale
 * goes on from step to step; here it follows from the step alone, and a step that fails is done again with what is kept of its
 * forward pass. So no update is skipped, and a resumed run needs to know nothing of it.
 */
export function lossScales(dlogits: Float32Array): number[] {
  const largest = dlogits.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  if (largest === 0 || !Number.isFinite(largest)) return [1];
  const first = LARGEST / 2 ** Math.floor(Math.log2(largest));
  return [0, 1, 2, 3].map((index) => first / BACKOFF ** index);
}
