import type { TrainOptions } from '../config/train-options.ts';
import type { ModelConfig } from './model-provider.ts';

/** Labels beyond which numbers with fractions are more likely a scale than names. */
const manyLabels = 10;

/**
 * What to tell the user of a classification whose model or labels look like those of a regression; undefined where
 * nothing does.
 */
export function describeLikelyRegression(
  { problemType }: Pick<TrainOptions, 'problemType'>,
  config: ModelConfig | undefined,
  labels: readonly string[],
): string | undefined {
  if (problemType !== 'classification') return undefined;
  const wayOut = 'If they are values to predict, give --problem-type regression.';
  if (config?.problem_type === 'regression') {
    return `The model's config.json says that it predicts a number; here it learns to tell ${labels.length} labels apart. ${wayOut}`;
  }
  const numbers = labels.length > manyLabels && labels.every((label) => /^[+-]?\d*\.?\d+$/.test(label));
  if (!numbers || labels.every((label) => Number.isInteger(Number(label)))) return undefined;
  return `All ${labels.length} labels are numbers, and are told apart as names are. ${wayOut}`;
}
