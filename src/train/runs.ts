import { join } from 'node:path';
import { formatOptions } from '../config/resolve.ts';
import type { TrainOptions } from '../config/train-options.ts';
import { SesdError } from '../errors.ts';
import { combineRuns } from './combine-runs.ts';
import type { ConfigEvent, RunEvent, TrainEvent, TrainSummary } from './events.ts';
import { type FinishedRun, hasCheckpoint, readFinished } from './finished-run.ts';
import { runSeed } from './random.ts';
import { resumeCommand, withWayOn } from './resume-command.ts';
import { type RunHooks, runOne, type TrainResult } from './run.ts';
import { RunData } from './run-data.ts';
import { RunFolder } from './run-folder.ts';

/**
 * `avg` and `vote`: `runs` independent fine-tuning runs that differ in their seed, made into one model: the
 * mean of their restored weights, or the mean of their probabilities.
 *
 * Each is an ordinary run in `run-1/`, `run-2/`, … of the folder, with its own checkpoints, metrics.jsonl and
 * model; run 1 has the seed of the options, the others one derived from it (`runSeed`). They see the same data:
 * where `dev` is a fraction, the options' seed draws it for all of them. A classifier that is attached new begins
 * with the same weights in all of them: means of classifiers that began apart give smaller logits and a larger
 * loss. Order and dropout differ. Resuming goes on with the first run
 * that is not finished.
 */
export async function runSeveral(
  options: TrainOptions,
  hooks: RunHooks,
  listener: (event: TrainEvent) => void,
): Promise<TrainResult> {
  checkCombination(options);
  const folder = new RunFolder(options.output);
  const resume = options.resume !== undefined;
  if (!resume) await folder.check(options);
  const emit = (event: TrainEvent) => {
    folder.log(event);
    listener(event);
  };
  const start = async (inner: RunEvent, config: ConfigEvent) => {
    if (inner.run === 1) {
      const whole = { ...config, options, totalSteps: config.totalSteps * options.runs };
      if (resume) await folder.rewrite(whole);
      else await folder.begin(formatOptions(options), whole, options);
      listener(whole);
    }
    emit(inner);
  };
  try {
    const data = new RunData(options, listener);
    const finished: (FinishedRun & RunEvent)[] = [];
    for (let run = 1; run <= options.runs; run++) {
      const inner: RunEvent = {
        type: 'run',
        run,
        runs: options.runs,
        seed: runSeed(options.seed, run),
        folder: join(folder.path, `run-${run}`),
      };
      const done = resume ? await readFinished(inner.folder) : undefined;
      if (done) {
        await start(inner, done.config);
        listener({ type: 'notice', message: `Run ${run} of ${options.runs} is finished.` });
      } else await runInner(inner, { options, hooks, listener, data, start });
      finished.push({ ...inner, ...(done ?? (await readFinished(inner.folder))!) });
    }
    const summary = await combineRuns(finished, { options, hooks, data, folder, emit }).catch((error) => {
      throw withWayOn(error, folder.path);
    });
    const { labels } = finished[0]!.config;
    return {
      ...summary,
      folder: folder.path,
      model: folder.model,
      labels,
      pairs: await data.hasPairs(),
      options,
    };
  } finally {
    folder.close();
  }
}

/**
 * avg and vote of runs that were trained before, in a folder like runSeveral's but for the runs, which stay where
 * they are. What the folder held is replaced.
 * @throws SesdError SESD_OUTPUT, SESD_BAD_MODEL
 */
export async function combineFinished(
  runs: readonly (FinishedRun & { folder: string; seed: number })[],
  options: TrainOptions,
  hooks: RunHooks,
  listener: (event: TrainEvent) => void,
): Promise<TrainSummary> {
  checkCombination(options);
  const folder = new RunFolder(options.output);
  try {
    const totalSteps = runs.reduce((sum, { config }) => sum + config.totalSteps, 0);
    const config = { ...runs[0]!.config, options, totalSteps };
    await folder.begin(formatOptions(options), config, { force: true });
    listener(config);
    const emit = (event: TrainEvent) => {
      folder.log(event);
      listener(event);
    };
    const numbered = runs.map((each, i) => ({
      ...each,
      type: 'run' as const,
      run: i + 1,
      runs: runs.length,
    }));
    for (const { type, run, runs, seed, folder } of numbered) emit({ type, run, runs, seed, folder });
    return await combineRuns(numbered, {
      options,
      hooks,
      data: new RunData(options, listener),
      folder,
      emit,
    });
  } finally {
    folder.close();
  }
}

function checkCombination(options: TrainOptions): void {
  if (options.strategy === 'vote' && options.problemType === 'regression') {
    throw new SesdError('SESD_USAGE', '--strategy vote: votes are on labels, and a regression has none.', {
      hint: 'Use --strategy avg.',
    });
  }
}

interface Outer {
  options: TrainOptions;
  hooks: RunHooks;
  listener: (event: TrainEvent) => void;
  data: RunData;
  start(inner: RunEvent, config: ConfigEvent): Promise<void>;
}

async function runInner(inner: RunEvent, { options, hooks, listener, data, start }: Outer): Promise<void> {
  const resume = options.resume !== undefined && (await hasCheckpoint(inner.folder));
  const { seed, folder: output } = inner;
  try {
    await runOne(
      {
        ...{ ...options, strategy: 'finetune', seed, output },
        maxLength: data.maxLength ?? options.maxLength,
        // One that was killed before its first checkpoint begins again.
        ...{ resume: resume ? output : undefined, force: !resume },
      },
      hooks,
      listener,
      { data, headSeed: options.seed, start: (config) => start(inner, config) },
    );
  } catch (error) {
    throw ofRun(inner, options, error);
  }
}

/** The error of one of the runs, whose way out is to resume them all. */
function ofRun({ run, runs, folder }: RunEvent, { output }: TrainOptions, error: unknown): unknown {
  if (!(error instanceof SesdError)) return error;
  const { code, message, hint, cause } = error;
  const outer = resumeCommand(output ?? join(folder, '..'));
  return new SesdError(code, `Run ${run} of ${runs}: ${message}`, {
    hint: hint?.replace(resumeCommand(folder), outer) ?? `Go on with: ${outer}`,
    cause,
  });
}
