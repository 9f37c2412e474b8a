import type { TrainOptions } from '../config/train-options.ts';
import type { EncodedExample } from '../data/example.ts';
import type { Engine, Weights } from '../engine/engine.ts';
import type { LoadWeights, NamedWeights } from '../ensemble/ensemble.ts';
import type { Strategy } from '../strategy/strategy.ts';
import { type BestRecord, BestWeights } from './best-weights.ts';
import { evaluate } from './evaluate.ts';
import type { ModelName, Split, SplitSummary, TrainSummary } from './events.ts';
import { metricOf } from './metric.ts';
import type { FitInput } from './trainer.ts';

type SelectionInput = Pick<
  FitInput,
  'engine' | 'options' | 'problem' | 'train' | 'dev' | 'test' | 'further' | 'padId' | 'emit' | 'signal'
>;

/** What a checkpoint holds of the selection beside weights. */
export interface SelectionState {
  evaluationsSinceBest: number;
  best?: BestRecord;
}

/** Where weights come from, and how they did on dev, if that was measured. */
type Origin = Omit<BestRecord, 'dev'> & { dev?: SplitSummary };

/**
 * Evaluates the student and the strategy's average on the way, keeps the weights that did best on dev, and restores them
 * at the end.
 */
export class ModelSelection {
  readonly #input: SelectionInput;
  readonly #engine: Engine;
  readonly #options: TrainOptions;
  readonly #strategy: Strategy;
  readonly #best: BestWeights;
  #evaluationsSinceBest = 0;

  constructor(input: SelectionInput, strategy: Strategy) {
    this.#input = input;
    this.#engine = input.engine;
    this.#options = input.options;
    this.#strategy = strategy;
    this.#best = new BestWeights(input.engine, input.options.metric);
  }

  /** Whether `--patience` evaluations brought no better weights. */
  get outOfPatience(): boolean {
    return this.#evaluationsSinceBest >= (this.#options.patience ?? Infinity);
  }

  /** Measures the weights after update `step` on dev, which must be there, and keeps them if they are the best so far. */
  async evaluate(step: number): Promise<void> {
    const { average } = this.#strategy;
    const models: { name: ModelName; weights: Weights }[] = [
      { name: 'student', weights: this.#engine.student },
      ...(average ? [average] : []),
    ];
    const results: { record: BestRecord; weights: Weights }[] = [];
    for (const { name, weights } of models) {
      const dev = await this.#measure(weights, this.#input.dev!);
      results.push({ record: { step, model: name, dev }, weights });
    }
    // Counted and reported only when all are measured: an interrupted evaluation is done again from the start.
    for (const { record } of results) this.#report('dev', record, record.dev);
    const candidates = results.filter(({ record }) => this.#mayExport(record.model));
    if (candidates.length > 0) this.#evaluationsSinceBest++;
    for (const { record, weights } of candidates) {
      if (!(await this.#best.offer(weights, record))) continue;
      this.#evaluationsSinceBest = 0;
      const { metric } = this.#options;
      const { model, dev } = record;
      this.#input.emit({ type: 'best', step, model, metric, value: metricOf(dev, metric) });
    }
  }

  #mayExport(model: ModelName): boolean {
    const { export: wanted } = this.#options;
    if (wanted === 'best' && this.#strategy.exported === 'better') return true;
    return (wanted === 'student') === (model === 'student');
  }

  /**
   * Measures the selected weights on every split, then restores them.
   * @param lastStep after which the run ended
   */
  async finish(lastStep: number): Promise<Omit<TrainSummary, 'steps' | 'seconds'>> {
    const { metric } = this.#options;
    const { record, weights } = this.#best.current ?? this.#last(lastStep);
    const splits: Partial<Record<Split, SplitSummary>> = {};
    for (const split of ['train', 'dev', 'test'] as const) {
      const examples = this.#input[split];
      if (!examples) continue;
      splits[split] = split === 'dev' && record.dev ? record.dev : await this.#measure(weights, examples);
      this.#report(split, record, splits[split], true);
    }
    const further: Record<string, SplitSummary> = {};
    for (const [split, examples] of Object.entries(this.#input.further ?? {})) {
      further[split] = await this.#measure(weights, examples);
      this.#report(split, record, further[split], true);
    }
    if (weights !== this.#engine.student) await this.#engine.student.copyFrom(weights);
    return {
      best: {
        step: record.step,
        model: record.model,
        ...(record.dev && { metric, value: metricOf(record.dev, metric) }),
      },
      ...splits,
      ...(this.#input.further && { further }),
    };
  }

  /** Without dev there is no choice: the weights after the last update. */
  #last(step: number): { record: Origin; weights: Weights } {
    const { average } = this.#strategy;
    const wantsAverage = this.#options.export === 'teacher' || this.#strategy.exported === 'average';
    const chosen = wantsAverage && this.#options.export !== 'student' ? average : undefined;
    const { name: model, weights } = chosen ?? { name: 'student' as const, weights: this.#engine.student };
    return { record: { step, model }, weights };
  }

  #measure(weights: Weights, examples: readonly EncodedExample[]): Promise<SplitSummary> {
    const { problem, padId, signal } = this.#input;
    return evaluate(this.#engine, weights, examples, { problem, padId, signal });
  }

  #report(split: string, { step, model }: Origin, summary: SplitSummary, final = false): void {
    this.#input.emit({ type: 'eval', step, split, model, ...summary, ...(final && { final }) });
  }

  state(): SelectionState {
    const best = this.#best.current?.record;
    return { evaluationsSinceBest: this.#evaluationsSinceBest, ...(best && { best }) };
  }

  sets(): NamedWeights[] {
    return this.#best.sets();
  }

  /** Takes up what `state` and `sets` held. */
  async restore({ evaluationsSinceBest, best }: SelectionState, load: LoadWeights): Promise<void> {
    if (best) await this.#best.restore(best, load);
    this.#evaluationsSinceBest = evaluationsSinceBest;
  }

  release(): void {
    this.#best.release();
  }
}
