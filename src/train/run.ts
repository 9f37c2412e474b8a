import { formatOptions } from '../config/resolve.ts';
import type { TrainOptions } from '../config/train-options.ts';
import type { Target } from '../data/target.ts';
import { SesdError } from '../errors.ts';
import type { Objective } from '../objective/objective.ts';
import { defaultDistance } from '../strategy/default-distance.ts';
import { CheckpointStore } from './checkpoint.ts';
import { describeFrozen } from './describe-frozen.ts';
import { describeEarlyCosine } from './early-cosine.ts';
import { embeddedModel } from './embedded-model.ts';
import type { ConfigEvent, TrainEvent, TrainSummary } from './events.ts';
import { describeLikelyRegression } from './likely-regression.ts';
import { namedSplits, type TrainingData } from './load-data.ts';
import type { ModelFile, OpenedModel, ReadModelFile } from './model-provider.ts';
import { readModelFile } from './open-model.ts';
import { packageVersion } from './package-version.ts';
import { planMemory } from './plan-memory.ts';
import { exportExtras } from './problem.ts';
import { withWayOn } from './resume-command.ts';
import { RunData } from './run-data.ts';
import { RunFolder } from './run-folder.ts';
import { planSteps, type StepPlan } from './schedule.ts';
import { describeShortRun } from './short-run.ts';
import { type FitInput, fit } from './trainer.ts';

export interface TrainHooks {
  /** Ends the run after writing a checkpoint. */
  signal?: AbortSignal;
  /** Called with everything that is written to metrics.jsonl, and with notices. */
  onEvent?: (event: TrainEvent) => void;
  /** A loss over the logits in place of the strategy's own. */
  objective?: Objective;
  /** Opens models; the tests put small ones in. */
  readModel?: ReadModelFile;
}

/** The hooks with a signal that is there. */
export type RunHooks = TrainHooks & { signal: AbortSignal };

export interface TrainResult extends TrainSummary {
  /** Folder of the run. */
  folder: string;
  /** Folder of the fine-tuned model, for loadClassifier, onnxruntime-node and transformers.js. */
  model: string;
  labels: readonly string[];
  /** Whether its inputs are two texts each. */
  pairs: boolean;
  options: TrainOptions;
}

export interface SharedBetweenRuns {
  data: RunData;
  /** Of the weights of a new classifier, which are then the same in all of them. */
  headSeed?: number;
  /** Called when all is ready, before anything is written. */
  start?(config: ConfigEvent): Promise<void>;
}

/**
 * One training run from resolved options to a folder with the model; see `train`.
 * @param shared by the runs of avg and vote
 */
export async function runOne(
  given: TrainOptions,
  hooks: RunHooks,
  listener: (event: TrainEvent) => void,
  shared: SharedBetweenRuns = { data: new RunData(given, listener) },
): Promise<TrainResult> {
  const folder = new RunFolder(given.output);
  if (given.resume === undefined) await folder.check(given);
  try {
    return await runIn(folder, given, hooks, listener, shared);
  } finally {
    folder.close();
  }
}

async function runIn(
  folder: RunFolder,
  given: TrainOptions,
  hooks: RunHooks,
  listener: (event: TrainEvent) => void,
  shared: SharedBetweenRuns,
): Promise<TrainResult> {
  const { signal } = hooks;
  const resume = given.resume !== undefined;
  const runData = shared.data;
  const data = await runData.examples();
  const file = await (hooks.readModel ?? readModelFile)(given.onnx ?? embeddedModel.folder);
  const problem = await runData.problem(file);
  const { target } = problem;
  const tokenizer = await runData.tokenizer(file);
  stopIfAborted(signal);
  const model = await file.open({
    ...given,
    seed: shared.headSeed ?? given.seed,
    classes: target.names.length,
  });
  try {
    refuseVote(file, model);
    const { precision } = model.precision;
    const steps = planSteps({ ...given, examples: data.train.examples.length });
    const options = {
      ...given,
      precision,
      distance: given.distance ?? defaultDistance(steps.total),
      maxLength: longestInput(given, model, listener),
    };
    const vocabulary = model.report.training?.vocabulary;
    const encoded = await runData.encoded(file, { maxLength: options.maxLength, vocabulary, signal });
    const config = configEvent(options, { model, target, data, steps });
    const emit = (event: TrainEvent) => {
      folder.log(event);
      listener(event);
    };
    const run: FitInput = {
      engine: model.engine,
      options,
      problem,
      ...encoded,
      padId: tokenizer.padId,
      modelDigest: await model.digest(),
      folder: folder.path,
      objective: hooks.objective,
      checkpoints: new CheckpointStore(folder.path, model.engine.parameters, {
        keep: options.keep,
        flushLog: () => folder.flushLog(),
      }),
      resume,
      emit,
      signal,
    };
    const memory = await planMemory(run, model.device);
    await shared.start?.(config);
    if (resume) await folder.reopen();
    else await folder.begin(formatOptions(options), config, options);
    listener(config);
    const notices = [
      memory,
      model.precision.notice,
      model.notice,
      describeFrozen(model.report),
      describeShortRun(given, steps.total),
      describeEarlyCosine(options),
      describeLikelyRegression(options, file.config, target.names),
    ];
    for (const message of notices)
      if (message !== undefined) (resume ? listener : emit)({ type: 'notice', message });
    try {
      const summary = await fit(run);
      if (resume) await folder.clearModel();
      const { names: labels } = target;
      await model.export(folder.model, exportExtras(problem, tokenizer.files, options));
      await folder.writeSummary({ ...summary, labels, model: folder.model });
      emit({ type: 'done', ...summary });
      const pairs = await runData.hasPairs();
      return { ...summary, folder: folder.path, model: folder.model, labels, pairs, options };
    } catch (error) {
      throw withWayOn(error, folder.path);
    }
  } finally {
    model.engine.close();
  }
}

function refuseVote({ file }: ModelFile, { report }: OpenedModel): void {
  if (report.training?.head.kind !== 'vote') return;
  throw new SesdError('SESD_BAD_MODEL', `${file} is the vote of several models, which cannot be trained.`, {
    hint: 'Train one of the models it was made of: the folders run-1, run-2, … beside it.',
  });
}

/** The longest input the model can take, of what was asked for. */
function longestInput(
  { maxLength }: TrainOptions,
  { engine }: OpenedModel,
  listener: (event: TrainEvent) => void,
): number {
  const most = Math.min(engine.maxPositions ?? Infinity, engine.fixed.length ?? Infinity);
  if (maxLength <= most) return maxLength;
  const message = `--max-length ${maxLength} is more than the model takes: texts are cut to ${most} tokens.`;
  listener({ type: 'notice', message });
  return most;
}

function configEvent(
  options: TrainOptions,
  { model, target, data, steps }: { model: OpenedModel; target: Target; data: TrainingData; steps: StepPlan },
): ConfigEvent {
  const counts = namedSplits(data).map(([split, { examples }]) => [split, examples.length]);
  return {
    type: 'config',
    options,
    labels: target.names,
    examples: Object.fromEntries(counts),
    totalSteps: steps.total,
    stepsPerEpoch: steps.perEpoch,
    parameters: model.engine.parameters.reduce((sum, { size }) => sum + size, 0),
    version: packageVersion(),
  };
}

function stopIfAborted(signal: AbortSignal): void {
  if (!signal.aborted) return;
  throw new SesdError('SESD_ABORTED', 'Interrupted before the first step.', { cause: signal.reason });
}
