import type { Example } from './example.ts';

/** What a model learns to predict: what each of its logits stands for, and how data files write it. */
export interface Target {
  /** Names of the logits, in their order. */
  readonly names: readonly string[];
  /**
   * The labels of examples as the loss and the metrics take them, in their order.
   * @param file the file they came from, for messages
   * @throws SesdError SESD_BAD_DATA naming the line of a label that cannot be one
   */
  encode(examples: readonly Example[], file: string): ArrayLike<number>;
  /** For config.json. */
  readonly id2label: Record<string, string>;
  /** For config.json. */
  readonly label2id: Record<string, number>;
}
