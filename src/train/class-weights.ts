import { nearestName } from '../config/nearest.ts';
import type { TrainOptions } from '../config/train-options.ts';
import { SesdError } from '../errors.ts';

/**
 * The weight of each class. `balanced`: n / (C · n_c), for n examples of which n_c have class c of C, so that every
 * class counts the same and the mean weight is 1. A class without examples or that is not named weighs 1.
 * @param labels class indices of the training examples
 * @throws SesdError SESD_USAGE when a weight is of no label
 */
export function weightsOfClasses(
  weights: NonNullable<TrainOptions['classWeights']>,
  names: readonly string[],
  labels: ArrayLike<number>,
): Float64Array {
  if (weights === 'balanced') {
    const counts = new Float64Array(names.length);
    for (let i = 0; i < labels.length; i++) counts[labels[i]!]!++;
    return counts.map((count) => (count === 0 ? 1 : labels.length / (names.length * count)));
  }
  const known = new Set(names);
  for (const name of Object.keys(weights)) {
    if (known.has(name)) continue;
    const near = nearestName(name, names);
    const list = names.map((each) => JSON.stringify(each)).join(', ');
    throw new SesdError('SESD_USAGE', `--class-weights: no label is called ${JSON.stringify(name)}.`, {
      hint: `${near === undefined ? '' : `Did you mean ${JSON.stringify(near)}? `}The labels are ${list}.`,
    });
  }
  return Float64Array.from(names, (name) => (Object.hasOwn(weights, name) ? weights[name]! : 1));
}
