import type { z } from 'zod';
import { optionalInteger, optionalText } from '../config/fields.ts';
import { trainSchema } from '../config/train-options.ts';
import { SesdError } from '../errors.ts';
import type { Classifier } from '../train/classifier.ts';

const { text, textPair, label, tokenizer, threads, runtime, fuse } = trainSchema.shape;

/** Fields of the commands that use a trained classifier. */
export const classifierFields = {
  model: optionalText({
    group: 'Model',
    valueName: 'DIR',
    path: true,
    description: 'Folder of a run, or of its model',
  }),
  tokenizer,
  maxLength: optionalInteger(
    { min: 3 },
    { group: 'Data', description: 'Longest input in tokens (default: the one of training)' },
  ),
  threads,
  runtime,
  fuse,
};

/** Fields that say where in a file texts and labels are. */
export const columnFields = { text, textPair, label };

type Options = z.output<z.ZodObject<typeof classifierFields>>;

/** Loads the classifier for the length of one task. */
export async function withClassifier<T>(
  command: string,
  { model, ...options }: Options,
  task: (classifier: Classifier) => Promise<T>,
): Promise<T> {
  if (model === undefined) {
    throw new SesdError('SESD_USAGE', `${command} needs a model.`, {
      hint: `Name the folder of a run: sesd-train ${command} --model runs/2026-01-31T12-00-00.`,
    });
  }
  const { loadClassifier } = await import('../train/classifier.ts');
  const classifier = await loadClassifier(model, options);
  try {
    return await task(classifier);
  } finally {
    classifier.close();
  }
}
