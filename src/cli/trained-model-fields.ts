import type { z } from 'zod';
import { optionalInteger, optionalText } from '../config/fields.ts';
import { trainSchema } from '../config/train-options.ts';
import { SesdError } from '../errors.ts';
import type { Classifier } from '../train/classifier.ts';
import type { Regressor } from '../train/regressor.ts';
import type { Streams } from './streams.ts';

const { text, textPair, label, tokenizer, device, threads, runtime, fuse } = trainSchema.shape;

/** Fields of the commands that use a trained model. */
export const trainedModelFields = {
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
  device,
  threads,
  runtime,
  fuse,
};

/** Fields that say where in a file texts and labels are. */
export const columnFields = { text, textPair, label };

type Options = z.output<z.ZodObject<typeof trainedModelFields>>;

/** Loads the model for the length of one task; what is to be known of the device goes to `err`. */
export async function withTrained<T>(
  command: string,
  { model, ...options }: Options,
  { err }: Pick<Streams, 'err'>,
  task: (trained: Classifier | Regressor) => Promise<T>,
): Promise<T> {
  if (model === undefined) {
    throw new SesdError('SESD_USAGE', `${command} needs a model.`, {
      hint: `Name the folder of a run: sesd-train ${command} --model runs/2026-01-31T12-00-00.`,
    });
  }
  const { loadTrained } = await import('../train/load-trained.ts');
  const trained = await loadTrained(model, { ...options, onNotice: (message) => err.line(message) });
  try {
    return await task(trained);
  } finally {
    trained.close();
  }
}
