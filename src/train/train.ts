import { EventEmitter } from 'node:events';
import { resolveTrainOptions } from '../config/resolve.ts';
import type { TrainOptions, TrainOptionsInput } from '../config/train-options.ts';
import { tasks } from '../data/tasks/index.ts';
import { settingsFor } from '../data/tasks/settings.ts';
import { describeDefaults } from './describe-defaults.ts';
import { embeddedModel } from './embedded-model.ts';
import type { TrainEvent } from './events.ts';
import { type RunHooks, runOne, type TrainHooks, type TrainResult } from './run.ts';
import { runSeveral } from './runs.ts';

/**
 * Fine-tunes a BERT classifier. Without `onnx` the embedded model is trained, without `train` the sample task.
 * The options are those of the command line in camelCase.
 *
 * @throws SesdError naming what is wrong: SESD_USAGE, SESD_BAD_DATA, SESD_BAD_MODEL and so on for bad input,
 *   SESD_OUTPUT for a folder that is taken or cannot be written, SESD_NUMERICS when the run diverges,
 *   SESD_ABORTED when the signal fires; its hint is then the command to resume.
 */
export function train(input: TrainOptionsInput = {}, hooks: TrainHooks = {}): Promise<TrainResult> {
  return new Trainer(input, hooks).run();
}

/**
 * One training run, observed: `for await (const event of new Trainer(options))` runs it and yields its events;
 * `trainer.on('event', listener)` and `trainer.run()` do the same with callbacks and a result.
 */
export class Trainer extends EventEmitter<{ event: [TrainEvent] }> {
  readonly #input: TrainOptionsInput;
  readonly #hooks: TrainHooks;
  readonly #stop = new AbortController();
  #result: Promise<TrainResult> | undefined;

  constructor(input: TrainOptionsInput = {}, hooks: TrainHooks = {}) {
    super();
    this.#input = input;
    this.#hooks = hooks;
  }

  /** Starts the run; the same result however often it is called. */
  run(): Promise<TrainResult> {
    const signal = this.#hooks.signal
      ? AbortSignal.any([this.#hooks.signal, this.#stop.signal])
      : this.#stop.signal;
    this.#result ??= start(this.#input, { ...this.#hooks, signal }, (event) => {
      this.#hooks.onEvent?.(event);
      this.emit('event', event);
    });
    return this.#result;
  }

  /** Ends the run after writing a checkpoint, as the signal does. */
  stop(): void {
    this.#stop.abort();
  }

  /** Starts the run if need be. Leaving the loop early stops it. */
  async *[Symbol.asyncIterator](): AsyncGenerator<TrainEvent, TrainResult> {
    const waiting: TrainEvent[] = [];
    let wake = () => {};
    let settled = false;
    const push = (event: TrainEvent) => {
      waiting.push(event);
      wake();
    };
    const settle = () => {
      settled = true;
      wake();
    };
    this.on('event', push);
    const result = this.run();
    result.then(settle, settle);
    try {
      while (!settled || waiting.length > 0) {
        yield* waiting.splice(0);
        if (!settled && waiting.length === 0) {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
      }
      return await result;
    } finally {
      this.off('event', push);
      this.stop();
    }
  }
}

async function start(
  input: TrainOptionsInput,
  hooks: RunHooks,
  listener: (event: TrainEvent) => void,
): Promise<TrainResult> {
  const options = resolveRun(input);
  if (options.resume === undefined)
    for (const message of describeDefaults(options)) listener({ type: 'notice', message });
  const several = options.strategy === 'avg' || options.strategy === 'vote';
  return several ? runSeveral(options, hooks, listener) : runOne(options, hooks, listener);
}

/** The options of a run, with the settings that come with the embedded model and the tasks. */
export function resolveRun(input: TrainOptionsInput): TrainOptions {
  return resolveTrainOptions(input, {
    recommended: embeddedModel.settings(),
    settingsOfTask: (task, strategy) => settingsFor(tasks[task], strategy),
  });
}
