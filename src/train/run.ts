import { createRequire } from 'node:module';
import { flagOf } from '../config/fields.ts';
import { formatOptions, resolveTrainOptions } from '../config/resolve.ts';
import type { TrainOptions, TrainOptionsInput } from '../config/train-options.ts';
import type { EncodedExample } from '../data/example.ts';
import type { Target } from '../data/target.ts';
import { type TaskName, tasks } from '../data/tasks/index.ts';
import { settingsFor } from '../data/tasks/settings.ts';
import { sampleTask } from '../data/tasks/wordnet-topics.ts';
import { SesdError } from '../errors.ts';
import type { Objective } from '../objective/objective.ts';
import { encodeAll } from '../tokenizer/encode-all.ts';
import { loadTokenizer } from '../tokenizer/load.ts';
import type { Tokenizer } from '../tokenizer/tokenizer.ts';
import { CheckpointStore } from './checkpoint.ts';
import { embeddedModel } from './embedded-model.ts';
import type { ConfigEvent, TrainEvent, TrainSummary } from './events.ts';
import { loadData, type NamedExamples, namedSplits, type TrainingData } from './load-data.ts';
import type { OpenedModel, ReadModelFile } from './model-provider.ts';
import { readModelFile } from './open-model.ts';
import { planMemory } from './plan-memory.ts';
import { stateProblem } from './problem.ts';
import { RunFolder } from './run-folder.ts';
import { planSteps } from './schedule.ts';
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

export interface TrainResult extends TrainSummary {
  /** Folder of the run. */
  folder: string;
  /** Folder of the fine-tuned model, for loadClassifier, onnxruntime-node and transformers.js. */
  model: string;
  labels: readonly string[];
  options: TrainOptions;
}

/** One training run from options to a folder with the model; see `train`. */
export async function runTraining(
  input: TrainOptionsInput,
  hooks: TrainHooks & { signal: AbortSignal },
  listener: (event: TrainEvent) => void,
): Promise<TrainResult> {
  const { signal } = hooks;
  let options = resolveTrainOptions(input, {
    recommended: embeddedModel.settings(),
    settingsOfTask: (task, strategy) => settingsFor(tasks[task], strategy),
  });
  const resume = options.resume !== undefined;
  const folder = new RunFolder(options.output);
  if (!resume) await folder.check(options);
  const notify = (message: string) => listener({ type: 'notice', message });
  if (!resume) for (const message of describeDefaults(options)) notify(message);

  const data = await loadData(options, notify);
  const file = await (hooks.readModel ?? readModelFile)(options.onnx ?? embeddedModel.folder);
  const problem = stateProblem(options, file, data.train);
  const { target } = problem;
  const tokenizer = await loadTokenizer(options.tokenizer ?? file.folder);
  stopIfAborted(signal);
  const model = await file.open({ ...options, classes: target.names.length });
  try {
    options = { ...options, maxLength: longestInput(options, model, listener) };
    const encoded = await encodeSplits(data, { model, tokenizer, target, options, signal });
    const config = configEvent(options, { model, target, data });
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
      folder: folder.path,
      objective: hooks.objective,
      checkpoints: new CheckpointStore(folder.path, model.engine.parameters, options.keep),
      resume,
      emit,
      signal,
    };
    const memory = await planMemory(run);
    if (resume) await folder.reopen();
    else await folder.begin(formatOptions(options), options);
    const announce = resume ? listener : emit;
    announce(config);
    announce({ type: 'notice', message: memory });
    const summary = await fit(run);

    if (resume) await folder.clearModel();
    const { id2label, label2id, names: labels } = target;
    const { maxLength, truncate } = options;
    const tokenizerFiles = tokenizer.files;
    await model.export(folder.model, {
      problemType: problem.type,
      id2label,
      label2id,
      tokenizerFiles,
      maxLength,
      truncate,
    });
    await folder.writeSummary({ ...summary, labels, model: folder.model });
    emit({ type: 'done', ...summary });
    return { ...summary, folder: folder.path, model: folder.model, labels, options };
  } finally {
    folder.close();
    model.engine.close();
  }
}

/** What is trained where the user named no model or no data, and the settings that come with a task. */
function describeDefaults(options: TrainOptions): string[] {
  const { onnx, train, task } = options;
  const sample = task === undefined && train === undefined;
  const sampled = `the sample task (${sampleTask.description})`;
  const notices: string[] = [];
  if (onnx === undefined) {
    const model = `No --onnx: training the embedded ${embeddedModel.description}, with its own settings`;
    notices.push(sample ? `${model}, on ${sampled}.` : `${model}. A pretrained BERT is far better.`);
  } else if (sample) notices.push(`No --train: training on ${sampled}.`);
  if (task !== undefined) notices.push(describeTask(options, task));
  return notices;
}

/** The task's settings that are in force. */
function describeTask(options: TrainOptions, task: TaskName): string {
  const settings = settingsFor(tasks[task], options.strategy);
  const inForce = Object.entries(settings).filter(
    ([name, value]) => options[name as keyof TrainOptions] === value,
  );
  const flags = inForce.map(([name, value]) => `${flagOf(name)} ${value}`).join(' ');
  return `${tasks[task].title} is trained with ${flags}; flags and --config go before these.`;
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

async function encodeSplits(
  data: TrainingData,
  {
    model,
    tokenizer,
    target,
    options,
    signal,
  }: {
    model: OpenedModel;
    tokenizer: Tokenizer;
    target: Target;
    options: TrainOptions;
    signal: AbortSignal;
  },
): Promise<Pick<FitInput, 'train' | 'dev' | 'test' | 'further'>> {
  const rows = model.report.training?.vocabulary;
  if (rows !== undefined) tokenizer.checkFits(rows);
  const { maxLength, truncate } = options;
  const encode = ({ examples, name }: NamedExamples) =>
    encodeAll(tokenizer, examples, { maxLength, truncate, labels: target.encode(examples, name) }, signal);
  const further: Record<string, EncodedExample[]> = {};
  for (const [name, split] of Object.entries(data.further)) further[name] = await encode(split);
  return {
    train: await encode(data.train),
    ...(data.dev && { dev: await encode(data.dev) }),
    ...(data.test && { test: await encode(data.test) }),
    ...(Object.keys(further).length > 0 && { further }),
  };
}

function configEvent(
  options: TrainOptions,
  { model, target, data }: { model: OpenedModel; target: Target; data: TrainingData },
): ConfigEvent {
  const { version } = createRequire(import.meta.url)('../../package.json') as { version: string };
  const { total, perEpoch } = planSteps({ ...options, examples: data.train.examples.length });
  const counts = namedSplits(data).map(([split, { examples }]) => [split, examples.length]);
  return {
    type: 'config',
    options,
    labels: target.names,
    examples: Object.fromEntries(counts),
    totalSteps: total,
    stepsPerEpoch: perEpoch,
    parameters: model.engine.parameters.reduce((sum, { size }) => sum + size, 0),
    version,
  };
}

function stopIfAborted(signal: AbortSignal): void {
  if (!signal.aborted) return;
  throw new SesdError('SESD_ABORTED', 'Interrupted before the first step.', { cause: signal.reason });
}
