import type { ConfigEvent, EvalEvent, StepEvent, TrainEvent } from '../train/events.ts';
import type { MetricName } from '../train/metric.ts';
import { count, duration, plural, significant } from './format.ts';
import { scoreText } from './scores.ts';
import type { OutputStream } from './streams.ts';

/** Share of the newest step in the running means that are shown. */
const SMOOTHING = 0.1;
/** Milliseconds between two redraws of the terminal's line. */
const REDRAW = 100;
/** Lines a run without a terminal writes of its steps, evaluations aside. */
const PLAIN_LINES = 20;

/**
 * Shows a run while it goes on: one line that is redrawn on a terminal, elsewhere (a log file) a line about every
 * twentieth of the run. Evaluations and notices are lines of their own that stay.
 */
export class Progress {
  readonly #err: OutputStream;
  readonly #now: () => number;
  #config: ConfigEvent | undefined;
  #means: Means | undefined;
  #drawnAt = Number.NEGATIVE_INFINITY;
  #drawn = false;

  constructor(err: OutputStream, now: () => number = performance.now.bind(performance)) {
    this.#err = err;
    this.#now = now;
  }

  show(event: TrainEvent): void {
    if (event.type === 'config') {
      this.#config = event;
      this.#means = undefined; // of the run before, where there are several
    }
    if (event.type === 'step') this.#step(event);
    const line = lineOf(event, this.#config);
    if (line !== undefined) this.#line(line);
  }

  /** Takes the redrawn line away. */
  clear(): void {
    if (this.#drawn) this.#err.write('\r\x1b[K');
    this.#drawn = false;
  }

  #step(event: StepEvent): void {
    this.#means = updated(this.#means, event);
    const total = this.#config?.totalSteps ?? event.step;
    const width = this.#err.isTerminal ? this.#err.columns : Number.POSITIVE_INFINITY;
    const line = stepLine(event, this.#means, this.#config, width);
    if (!this.#err.isTerminal) {
      const every = Math.max(1, Math.round(total / PLAIN_LINES));
      if (event.step === 1 || event.step % every === 0 || event.step === total) this.#err.line(line);
      return;
    }
    const now = this.#now();
    if (now - this.#drawnAt < REDRAW && event.step < total) return;
    this.#drawnAt = now;
    this.#drawn = true;
    this.#err.write(`\r${line.slice(0, width - 1)}\x1b[K`);
  }

  #line(text: string): void {
    this.clear();
    this.#err.line(text);
  }
}

/** What is said of an event in a line of its own. */
function lineOf(event: TrainEvent, config: ConfigEvent | undefined): string | undefined {
  switch (event.type) {
    case 'config':
      return startLine(event);
    case 'eval':
      return event.final ? undefined : evalLine(event, config?.options.metric);
    case 'notice':
      return event.message;
    case 'run':
      return `Run ${event.run} of ${event.runs}, seed ${event.seed}`;
    case 'resume':
      return `Going on after step ${count(event.step)}.`;
    case 'early-stop':
      return `Stopping at step ${count(event.step)}: no better weights for a while.`;
    default:
      return undefined;
  }
}

interface Means {
  loss: number;
  ce: number;
  distill: number;
  /** Milliseconds of a step. */
  ms: number;
  examples: number;
}

function updated(means: Means | undefined, event: StepEvent): Means {
  if (means === undefined) return event;
  const toward = (old: number, value: number): number => old + SMOOTHING * (value - old);
  return {
    loss: toward(means.loss, event.loss),
    ce: toward(means.ce, event.ce),
    distill: toward(means.distill, event.distill),
    ms: toward(means.ms, event.ms),
    examples: toward(means.examples, event.examples),
  };
}

function startLine({ options, examples, labels, totalSteps, parameters }: ConfigEvent): string {
  const splits = Object.entries(examples).map(([split, size]) => `${count(size)} ${split}`);
  const what = options.problemType === 'regression' ? 'numbers' : `${labels.length} labels`;
  return (
    `${splits.join(', ')} examples of ${what}; ` +
    `${count(parameters)} parameters, ${plural(totalSteps, 'step')}`
  );
}

/** The terms of the loss are left out where the line would be wider than the terminal. */
function stepLine(event: StepEvent, means: Means, config: ConfigEvent | undefined, width: number): string {
  const total = config?.totalSteps ?? event.step;
  const rate = (1000 * means.examples) / means.ms;
  const left = ((total - event.step) * means.ms) / 1000;
  const step = `step ${String(event.step).padStart(String(total).length)}/${total}  loss ${means.loss.toFixed(3)}`;
  const terms = ` (ce ${means.ce.toFixed(3)}, distill ${means.distill.toFixed(3)})`;
  const speed = `  ${significant(rate)} samples/s  ${duration(left)} left`;
  return step.length + terms.length + speed.length < width ? step + terms + speed : step + speed;
}

/** The metric the best weights are chosen by, and the loss. */
function evalLine(event: EvalEvent, metric: MetricName = 'accuracy'): string {
  const { split, step, model, loss } = event;
  const chosen = metric === 'loss' ? '' : `${metric} ${scoreText(metric, event)}  `;
  return `${split} after step ${count(step)}  ${model.padEnd('student'.length)}  ${chosen}loss ${loss.toFixed(3)}`;
}
