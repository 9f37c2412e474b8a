import type { TrainOptions } from '../config/train-options.ts';
import type { EncodedExample } from '../data/example.ts';
import type { Engine, Weights } from '../engine/engine.ts';
import { SesdError } from '../errors.ts';
import type { Objective } from '../objective/objective.ts';
import { createStrategy } from '../strategy/index.ts';
import type { Strategy, StrategyContext } from '../strategy/strategy.ts';
import type { CheckpointStore } from './checkpoint.ts';
import { type DataDigests, dataDigests } from './data-digest.ts';
import { evaluate } from './evaluate.ts';
import type { EmitEvent, TrainSummary } from './events.ts';
import { ModelSelection } from './model-selection.ts';
import type { Problem } from './problem.ts';
import { RunState } from './run-state.ts';
import { planSteps, type StepPlan } from './schedule.ts';
import { TrainingStep } from './training-step.ts';

export interface FitInput {
  /** Its student is θ_0, and holds the restored weights afterwards. */
  engine: Engine;
  options: TrainOptions;
  problem: Problem;
  train: readonly EncodedExample[];
  dev?: readonly EncodedExample[] | undefined;
  test?: readonly EncodedExample[] | undefined;
  /** Other examples to measure the restored weights on, by the split's name. */
  further?: Readonly<Record<string, readonly EncodedExample[]>>;
  /** Token that fills rows up to the longest of a batch. */
  padId: number;
  /** The run's folder, which is there; for snapshots on disk. */
  folder: string;
  /** Of what checkpoints do not hold of the engine's model: see modelDigest. */
  modelDigest: string;
  /** In place of the strategy's own. */
  objective?: Objective | undefined;
  checkpoints: CheckpointStore;
  /** Go on from the newest checkpoint that can be used, or from the beginning where there is none. */
  resume?: boolean;
  emit: EmitEvent;
  signal?: AbortSignal | undefined;
}

/**
 * Trains the engine's student, evaluates on the way, and restores the best weights.
 *
 * @throws SesdError SESD_ABORTED when the signal fires, SESD_NUMERICS when a loss or gradient is not finite
 *   (the weights before that step are in a checkpoint either way); SESD_OUTPUT, SESD_CHECKPOINT.
 */
export async function fit(input: FitInput): Promise<TrainSummary> {
  if (input.objective && input.engine.learn) {
    throw new SesdError('SESD_USAGE', '--whole-step takes no objective of your own.', {
      hint: 'Without it the loss is computed between two calls, and any goes.',
    });
  }
  const strategy = await createStrategy(strategyContext(input));
  const loop = new TrainingLoop(input, strategy, await dataDigests(input));
  try {
    return await loop.run();
  } finally {
    loop.release();
  }
}

/** What a run's strategy has to go by. */
export function strategyContext(input: FitInput): StrategyContext {
  const { engine, options, problem, train, dev, folder } = input;
  const { total } = planSteps({ ...options, examples: train.length });
  const devLoss = dev && (async (weights: Weights) => (await evaluate(engine, weights, dev, input)).loss);
  return { engine, options, labelLoss: problem.loss, totalSteps: total, folder, devLoss };
}

/** Steps, and between them the evaluations and checkpoints that are due. */
class TrainingLoop {
  readonly #input: FitInput;
  readonly #strategy: Strategy;
  readonly #plan: StepPlan;
  readonly #training: TrainingStep;
  readonly #selection: ModelSelection;
  readonly #state: RunState;
  /** Updates done. */
  #step = 0;
  /** Whether the evaluation that is due after them, if one is, has been done. */
  #evaluated = true;
  /** When the run would have begun, had nothing interrupted it. */
  #started = performance.now();

  constructor(input: FitInput, strategy: Strategy, data: DataDigests) {
    this.#input = input;
    this.#strategy = strategy;
    this.#plan = planSteps({ ...input.options, examples: input.train.length });
    this.#training = new TrainingStep(input, strategy, this.#plan);
    this.#selection = new ModelSelection(input, strategy);
    this.#state = new RunState(input, strategy, this.#selection, data);
  }

  async run(): Promise<TrainSummary> {
    const { dev, options, resume, signal } = this.#input;
    this.#started = performance.now();
    if (resume) await this.#restore();
    try {
      if (!this.#evaluated) await this.#evaluate(); // the run was interrupted before it was done
      while (!this.#isOver) {
        await this.#training.run(this.#step + 1);
        this.#step++;
        this.#evaluated = !dev || !this.#isDue(options.evalEvery);
        if (!this.#evaluated) await this.#evaluate();
        if (this.#isDue(options.saveEvery)) await this.#save();
      }
      const results = await this.#selection.finish(this.#step);
      return { steps: this.#step, ...results, seconds: this.#seconds };
    } catch (error) {
      if (error instanceof SesdError && error.code === 'SESD_NUMERICS') throw await this.#diverged(error);
      if (isAbort(error, signal)) throw await this.#interrupted(error);
      throw error;
    }
  }

  get #isOver(): boolean {
    return this.#step >= this.#plan.total || this.#selection.outOfPatience;
  }

  get #seconds(): number {
    return Number(((performance.now() - this.#started) / 1000).toFixed(1));
  }

  /** Whether what happens every so many updates happens after this one; at the end it always does. */
  #isDue(every: number | 'epoch' | 'never'): boolean {
    if (every === 'never') return false;
    return this.#isOver || this.#step % (every === 'epoch' ? this.#plan.perEpoch : every) === 0;
  }

  async #evaluate(): Promise<void> {
    await this.#selection.evaluate(this.#step);
    this.#evaluated = true;
    if (this.#step < this.#plan.total && this.#isOver)
      this.#input.emit({ type: 'early-stop', step: this.#step });
  }

  #save(): Promise<string> {
    return this.#state.save({ step: this.#step, evaluated: this.#evaluated, seconds: this.#seconds });
  }

  async #restore(): Promise<void> {
    const { step, evaluated, seconds } = await this.#state.restore();
    this.#step = step;
    this.#evaluated = evaluated;
    this.#started -= 1000 * seconds;
  }

  async #diverged({ message }: SesdError): Promise<SesdError> {
    const path = await this.#save();
    return new SesdError('SESD_NUMERICS', message, {
      hint: `Try a lower --lr or --head-lr, or a longer --warmup. The weights before this step are in ${path}.`,
    });
  }

  async #interrupted(cause: unknown): Promise<SesdError> {
    await this.#save();
    return new SesdError('SESD_ABORTED', `Interrupted after step ${this.#step} of ${this.#plan.total}.`, {
      hint: `Go on with: ${this.#input.checkpoints.resumeCommand}`,
      cause,
    });
  }

  release(): void {
    this.#strategy.release();
    this.#selection.release();
  }
}

/** Whether an error is the signal's doing, be it the engine's or throwIfAborted's. */
function isAbort(error: unknown, signal: AbortSignal | undefined): boolean {
  if (!signal?.aborted) return false;
  return error === signal.reason || (error as { code?: unknown } | null)?.code === 'SESD_ABORTED';
}
