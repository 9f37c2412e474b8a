import type { Averaging, Batch, Weights } from '../engine/engine.ts';
import type { Ensemble, WeightAverage } from '../ensemble/ensemble.ts';
import { Intake, type IntakeOptions } from '../ensemble/intake.ts';
import { SesdError } from '../errors.ts';
import { distillationObjective } from '../objective/distillation.ts';
import type { Objective } from '../objective/objective.ts';
import { defaultDistance } from './default-distance.ts';
import type { AverageName, Strategy, StrategyContext } from './strategy.ts';

/** Teaches from some step on. */
export interface Teacher {
  teach(batch: Batch, signal?: AbortSignal): Promise<Float32Array | 'student'>;
  /** The teacher as weights, once it has any; absent where it is no average of weights. */
  readonly weights?: Weights | undefined;
}

/** An ensemble under the name checkpoints know it by, and the students it takes in. */
export interface Member {
  name: string;
  ensemble: Ensemble;
  intake: IntakeOptions;
}

export interface Parts {
  teacher?: Teacher;
  members: readonly Member[];
  /** The SE average, where one is kept. */
  se?: WeightAverage;
  exported?: Strategy['exported'];
  /** The loss of a step from `--teacher-start` on; distillation from the teacher, if there is one, when absent. */
  objective?(lambda: number): Objective;
  /** How often the student sees each example in such a step; once when absent. */
  draws?: number;
}

/**
 * S of `--teacher-start`: a step, or the one after a fraction of the updates.
 * @throws SesdError SESD_USAGE when the run ends before
 */
export function startOf({ options: { teacherStart }, totalSteps }: StrategyContext): number {
  const start = teacherStart < 1 ? Math.floor(teacherStart * totalSteps) + 1 : teacherStart;
  if (start <= totalSteps) return start;
  throw new SesdError('SESD_USAGE', `--teacher-start ${teacherStart}: the run has ${totalSteps} updates.`, {
    hint: 'Name an earlier step, or a fraction of the run such as 0.5.',
  });
}

/** What one strategy is made of. */
export type CreateParts = (context: StrategyContext) => Promise<Parts>;

/** A strategy of a teacher, the ensembles it draws on, and an average to evaluate. */
export function compose(context: StrategyContext, parts: Parts): Strategy {
  const { teacher, members, se, exported, draws = 1 } = parts;
  const { engine, options, labelLoss, totalSteps } = context;
  const start = startOf(context);
  const distance = options.distance ?? defaultDistance(totalSteps);
  const ramp = Math.floor(options.lambdaRamp * totalSteps);
  const lambdaAt = (step: number) =>
    options.lambda * (ramp === 0 ? 1 : Math.min(1, (step - start + 1) / ramp));
  const intakes = members.map(({ ensemble, intake }) => new Intake(engine, ensemble, intake));
  const averageOf = (name: AverageName, weights: Weights | undefined) => weights && { name, weights };
  return {
    get average() {
      if (options.average === 'none') return undefined;
      return se ? averageOf('se', meanOf(se)) : averageOf('teacher', teacher?.weights);
    },
    exported: exported ?? 'better',
    objective(step) {
      const lambda = lambdaAt(step);
      if (parts.objective && step >= start) return parts.objective(lambda);
      return distillationObjective({ ...options, distance, labelLoss, lambda });
    },
    draws: (step) => (step < start ? 1 : draws),
    async begin(step) {
      for (const intake of intakes) await intake.begin(step);
    },
    async teach(step, batch, signal) {
      return step < start ? undefined : teacher?.teach(batch, signal);
    },
    lesson(step) {
      if (step < start) return { lambda: 0 };
      if (parts.objective) return undefined;
      if (!teacher) return { lambda: 0 };
      return teacher.weights && { lambda: lambdaAt(step), teacher: teacher.weights };
    },
    async averages(step) {
      const all: { before: Averaging[]; after: Averaging[] } = { before: [], after: [] };
      for (const intake of intakes) {
        const { before = [], after = [] } = await intake.passes(step);
        all.before.push(...before);
        all.after.push(...after);
      }
      return all;
    },
    updated() {
      for (const intake of intakes) intake.updated();
    },
    state: () => ({
      ensembles: Object.fromEntries(members.map(({ name, ensemble }) => [name, ensemble.state()])),
      sets: members.flatMap(({ name, ensemble }) =>
        ensemble.sets().map(({ name: set, weights }) => ({ name: `${name}-${set}`, weights })),
      ),
    }),
    async restore(states, load) {
      for (const { name, ensemble } of members) {
        const state = states[name];
        if (state?.count) await ensemble.restore(state, (set, into) => load(`${name}-${set}`, into));
      }
    },
    release() {
      for (const { ensemble } of members) ensemble.release();
    },
  };
}

/** The mean, once it is of something. */
export function meanOf(average: WeightAverage): Weights | undefined {
  return average.count > 0 ? average.mean : undefined;
}
