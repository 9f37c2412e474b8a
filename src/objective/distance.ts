import { cosine } from './cosine.ts';
import { kullbackLeibler, symmetricKullbackLeibler } from './kullback-leibler.ts';
import { meanSquaredError } from './mean-squared-error.ts';

/**
 * How far the student's logits are from the teacher's: a mean over the rows, in float64. The teacher's are constants.
 *
 * @param logits [rows, classes]
 * @param teacherLogits like the logits
 * @param dlogits like the logits; takes in `weight` times the gradient
 */
export type Distance = (
  logits: Float32Array,
  teacherLogits: Float32Array,
  dlogits: Float64Array,
  options: { classes: number; weight: number; temperature: number },
) => number;

/** By the name `--distance` takes. */
export const distances = {
  mse: meanSquaredError,
  kl: kullbackLeibler,
  'symmetric-kl': symmetricKullbackLeibler,
  cosine,
} as const satisfies Record<string, Distance>;
