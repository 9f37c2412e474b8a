import { fileURLToPath } from 'node:url';
import { readOptionsFile } from '../config/resolve.ts';
import type { TrainOptionsInput } from '../config/train-options.ts';

/** The model that is trained when none is named. */
export const embeddedModel = {
  description: 'mini BERT (random weights)',
  folder: fileURLToPath(new URL('../../models/mini-bert', import.meta.url)),
  /** The settings that suit its weights. */
  settings(): TrainOptionsInput {
    return readOptionsFile(fileURLToPath(new URL('../../models/mini-bert/settings.yaml', import.meta.url)));
  },
};
