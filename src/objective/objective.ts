/**
 * Rows of logits and what they are compared with. Arrays are row-major and hold `rows` rows: one for each example, or, for
 * strategies that draw each more than once, all examples and then all of them again.
 */
export interface ObjectiveInput {
  /** The student's, [rows, classes]. */
  logits: Float32Array;
  /** The teacher's, [rows, classes]; absent when the strategy has no teacher. */
  teacherLogits?: Float32Array;
  /** Class indices, or for a regression the numbers to predict, [rows]. */
  labels: ArrayLike<number>;
  rows: number;
  classes: number;
}

export interface ObjectiveValue {
  /** What is minimized: a mean over the rows. */
  loss: number;
  /** The terms of the loss before they are weighted, each a mean over the rows, under the names they are logged by. */
  parts: Readonly<Record<string, number>>;
  /** The loss's gradient with respect to the logits, [rows, classes]. */
  dlogits: Float64Array;
}

/**
 * A loss over the logits of some rows, and its gradient. It must be a mean over the rows: a step of several
 * micro-batches weighs each by its share of the step's examples, which then equals the one large batch.
 * The input arrays are the engine's own: an objective reads them and keeps no reference.
 */
export type Objective = (input: ObjectiveInput) => ObjectiveValue;

/**
 * A loss of logits [rows, classes] against labels [rows]: a mean over the rows. Adds its gradient to dlogits, which
 * is like the logits.
 */
export type LabelLoss = (
  logits: Float32Array,
  labels: ArrayLike<number>,
  classes: number,
  dlogits: Float64Array,
) => number;
