/** Running totals of the steps of one part of the run. */
interface Totals {
  steps: number;
  loss: number;
  /** The distillation term with its weight. */
  distill: number;
  /** Mean |z| of student and teacher. */
  student: number;
  teacher: number;
}

/**
 * Notices a teacher that drives the student's logits up instead of teaching it. Without dropout a teacher that is close to
 * the student has slightly larger logits, which the student then follows: both grow, the distillation term takes over
 * the loss, and cross-entropy with the labels stays high. In the study of docs/self-distillation.md this is what the
 * runs have in common that lost more than a point of accuracy to their teacher.
 */
export class TeacherWatch {
  readonly #part: number;
  readonly #from: number;
  #totals: Totals = none();
  #said = false;

  /** @param totalSteps of the run: a tenth of them is looked at together, from the middle on */
  constructor(totalSteps: number) {
    this.#part = Math.ceil(totalSteps / 10);
    this.#from = totalSteps / 2;
  }

  /** Adds a micro-batch. @param share of the step's examples */
  add(
    share: number,
    {
      logits,
      teacherLogits,
      loss,
      ce,
    }: { logits: Float32Array; teacherLogits: Float32Array; loss: number; ce: number },
  ): void {
    this.#totals.loss += share * loss;
    this.#totals.distill += share * (loss - ce);
    this.#totals.student += share * meanSize(logits);
    this.#totals.teacher += share * meanSize(teacherLogits);
  }

  /** What to tell the user after the step, once. */
  warning(step: number): string | undefined {
    this.#totals.steps++;
    if (step % this.#part !== 0) return undefined;
    const { steps, loss, distill, student, teacher } = this.#totals;
    this.#totals = none();
    const harmful = steps >= minSteps && teacher >= minRatio * student && distill >= minShare * loss;
    if (this.#said || step < this.#from || !harmful) return undefined;
    this.#said = true;
    const size = (total: number) => (total / steps).toFixed(2);
    return (
      `The teacher may cost accuracy: its logits are as large as the student's (mean size ${size(teacher)} and ${size(student)}) ` +
      `and the distance to them is ${Math.round((100 * distill) / loss)} % of the loss, so that the two drive each other up. ` +
      'Try --window all, a smaller --lambda, or --distance kl.'
    );
  }
}

/** Fewer steps say nothing. */
const minSteps = 10;
/** Of the teacher's mean |logit| to the student's. A mean of all past students lags behind, at 0.4 to 0.9. */
const minRatio = 0.99;
/** Of the distillation term in the loss. */
const minShare = 0.12;

function none(): Totals {
  return { steps: 0, loss: 0, distill: 0, student: 0, teacher: 0 };
}

function meanSize(values: Float32Array): number {
  let sum = 0;
  for (const value of values) sum += Math.abs(value);
  return sum / values.length;
}
