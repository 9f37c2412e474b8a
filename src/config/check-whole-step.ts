import { SesdError } from '../errors.ts';
import type { TrainOptions } from './train-options.ts';

/** Methods whose teacher, if any, is one set of weights. */
const strategies: readonly string[] = ['finetune', 'se', 'sda', 'ema'];

/**
 * A backend that computes the loss's gradient itself has one loss: cross-entropy plus λ times the mean squared error.
 * @throws SesdError SESD_USAGE when the options ask for another
 */
export function checkWholeStep(options: TrainOptions): void {
  if (!options.wholeStep) return;
  const { strategy, distance, labelSmoothing, classWeights, problemType } = options;
  const reason =
    options.backend !== 'ort-training'
      ? 'needs --backend ort-training'
      : !strategies.includes(strategy)
        ? `takes --strategy ${strategies.join(', ')}, not ${strategy}`
        : options.poolIncludesStudent
          ? 'has no teacher that is the student: leave --pool-includes-student out'
          : distance !== 'mse'
            ? `takes --distance mse, not ${distance}`
            : labelSmoothing !== 0 || classWeights !== undefined || problemType === 'regression'
              ? 'takes plain cross-entropy: no --label-smoothing, --class-weights or --problem-type regression'
              : undefined;
  if (reason === undefined) return;
  throw new SesdError('SESD_USAGE', `--whole-step ${reason}.`, {
    hint: 'Without --whole-step the loss is computed between two calls, and any goes.',
  });
}
