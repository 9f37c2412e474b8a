import type { TrainOptionsInput } from '../../config/train-options.ts';
import type { Example } from '../example.ts';

/** A published dataset: where its files are, what they mean, and how the paper trains on it. */
export interface Task {
  /** As its authors call it: "SNLI 1.0". */
  title: string;
  /** Who publishes it and under which name, for those who have no copy. */
  published: string;
  /** The folders its archive unpacks to. `--data` names one of them, or the folder they lie in. */
  folders: readonly string[];
  /** The forms it is published in; the first that is complete is read. */
  layouts: readonly Layout[];
  /** The classes in the order of the logits; none where the label is a number. */
  labels?: readonly string[];
  /** Said when the form that was read has no test split. */
  withoutTest?: string;
  /** The options that count where neither flags nor `--config` say otherwise. */
  settings: TrainOptionsInput;
  /** Students the teacher averages in the paper's Table 3, where it can be told: K of sda and sdv. */
  teacherWindow?: number;
}

/** One form a dataset is published in. */
export interface Layout {
  /** Path of each split below the dataset's folder: train, dev, test, and others to evaluate on at the end. */
  files: Readonly<{ train: string; dev?: string; test?: string; [further: string]: string | undefined }>;
  read: ReadSplit;
}

/**
 * Reads one split.
 * @throws SesdError SESD_BAD_DATA naming the file and the line
 */
export type ReadSplit = (path: string) => Promise<SplitRead>;

export interface SplitRead {
  examples: Example[];
  /** What of the file was left out, and why, for a notice: "785 pairs without a gold label". */
  leftOut?: string | undefined;
}
