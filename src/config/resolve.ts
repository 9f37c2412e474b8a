import { existsSync, readFileSync } from 'node:fs';
import { resolve as resolvePath } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { parseDocument, stringify } from 'yaml';
import { SesdError } from '../errors.ts';
import { checkOptions } from './check.ts';
import { checkRDrop } from './check-r-drop.ts';
import { checkWholeStep } from './check-whole-step.ts';
import { flagOf } from './fields.ts';
import {
  method,
  type TrainOptions,
  type TrainOptionsInput,
  trainFields,
  trainSchema,
} from './train-options.ts';

/** Part of the options, each value checked and in its own type. */
type Layer = TrainOptionsInput;

export interface ResolveContext {
  /** Settings the embedded model recommends; they count where no model is named. */
  recommended?: TrainOptionsInput;
  /** Settings that come with a published dataset, for a strategy. */
  settingsOfTask?: (
    task: NonNullable<TrainOptions['task']>,
    strategy: TrainOptions['strategy'],
  ) => TrainOptionsInput;
}

/**
 * The options of a run: those given, then those of the `config` file, then the embedded model's own
 * settings, then those of the task, then the defaults. With `resume` the interrupted run's config.yaml takes the file's place, and
 * an option that would change its course is refused.
 *
 * @throws SesdError SESD_USAGE naming the flag or the file and key, what was expected and what was found.
 */
export function resolveTrainOptions(
  input: TrainOptionsInput | Readonly<Record<string, unknown>>,
  context: ResolveContext = {},
): TrainOptions {
  const given = checkOptions(trainSchema, input);
  const options = given.resume === undefined ? merge(given, context) : resumed(given, given.resume);
  checkTogether(options);
  return options;
}

function merge(given: Layer, { recommended, settingsOfTask }: ResolveContext): TrainOptions {
  const file = given.config === undefined ? {} : readOptionsFile(given.config);
  const named: Layer = { ...file, ...given };
  const ofModel = recommended && named.onnx === undefined ? checkOptions(trainSchema, recommended) : {};
  const strategy = trainSchema.shape.strategy.parse(named.strategy ?? ofModel.strategy);
  const ofTask = settingsOfTask && named.task !== undefined ? settingsOfTask(named.task, strategy) : {};
  const layered = { ...ofTask, ...ofModel, ...named };
  return trainSchema.parse({ ...ownDefaults(layered, strategy), ...layered });
}

/**
 * Defaults that only suit one strategy (sdv holds each student of its window and asks all of them at every step; r-drop is
 * defined by the symmetric divergence) or one problem. Else a method of which anything was named has the paper's distance;
 * that of one left to us depends on the run's length.
 */
function ownDefaults(named: Layer, strategy: TrainOptions['strategy']): Layer {
  const isRegression = named.problemType === 'regression';
  const namesMethod = trainFields.some(
    ({ group, name }) => group === method && named[name as keyof TrainOptions] !== undefined,
  );
  const squares = namesMethod || named.wholeStep === true || isRegression;
  return {
    ...(strategy === 'sdv' && { window: 5 }),
    ...(squares && { distance: 'mse' as const }),
    ...(strategy === 'r-drop' && !isRegression && { distance: 'symmetric-kl' as const }),
    ...(isRegression && { metric: 'pearson' as const }),
  };
}

function resumed(given: Layer, folder: string): TrainOptions {
  const config = resolvePath(folder, 'config.yaml');
  if (!existsSync(config)) {
    throw new SesdError(
      'SESD_USAGE',
      `--resume ${folder}: there is no run in this folder (no config.yaml).`,
      {
        hint: 'Name the folder that --output of the interrupted run was.',
      },
    );
  }
  const saved: Layer = readOptionsFile(config);
  const changes: Record<string, unknown> = {};
  for (const { name, flag, transient, resumable, path } of trainFields) {
    const key = name as keyof TrainOptions;
    if (given[key] === undefined) continue;
    if (transient || resumable) {
      changes[key] = given[key];
      continue;
    }
    const same = path
      ? samePath(given[key], saved[key])
      : isDeepStrictEqual(given[key], saved[key] ?? trainSchema.shape[key].safeParse(undefined).data);
    if (same) continue;
    throw new SesdError(
      'SESD_USAGE',
      `${flag} ${inWords(given[key])}: the run to resume was started with ${inWords(saved[key] ?? 'none')}.`,
      { hint: `Leave ${flag} out, or start a new run without --resume.` },
    );
  }
  if (given.output !== undefined && !samePath(given.output, folder)) {
    throw new SesdError('SESD_USAGE', `--output ${given.output}: a resumed run goes on in ${folder}.`, {
      hint: 'Leave --output out.',
    });
  }
  return trainSchema.parse({ ...saved, ...changes, output: folder });
}

function inWords(value: unknown): string {
  return typeof value === 'object' ? JSON.stringify(value) : `${value}`;
}

function samePath(a: unknown, b: unknown): boolean {
  return a === b || (typeof a === 'string' && typeof b === 'string' && resolvePath(a) === resolvePath(b));
}

/**
 * Reads a YAML file of options.
 * @throws SesdError SESD_USAGE naming the file, and the line or key that is wrong.
 */
export function readOptionsFile(path: string): TrainOptionsInput {
  let source: string;
  try {
    source = readFileSync(path, 'utf8');
  } catch (cause) {
    throw new SesdError('SESD_USAGE', `The options file ${path} cannot be read.`, { cause });
  }
  const values = parseYaml(source, path) ?? {};
  if (typeof values !== 'object' || Array.isArray(values)) {
    throw new SesdError('SESD_USAGE', `${path}: expected a mapping of options such as "epochs: 3".`);
  }
  const { config, resume } = values as Record<string, unknown>;
  if (config !== undefined || resume !== undefined) {
    const key = config === undefined ? 'resume' : 'config';
    throw new SesdError('SESD_USAGE', `${path}: "${key}" is a flag only.`, {
      hint: 'Take it out of the file.',
    });
  }
  return checkOptions(trainSchema, values as object, (name) => `${path}: ${name}`);
}

/** Far more than all options take; the parser's time grows with the square of a file's errors. */
const MAX_CHARACTERS = 2 ** 15;

function parseYaml(source: string, path: string): unknown {
  if (source.length > MAX_CHARACTERS) {
    throw new SesdError(
      'SESD_USAGE',
      `${path} has ${source.length} characters; a file of options has at most ${MAX_CHARACTERS}.`,
    );
  }
  let problem: unknown;
  try {
    const document = parseDocument(source);
    [problem] = document.errors;
    if (problem === undefined) return document.toJS();
  } catch (error) {
    problem = error; // aliases without an anchor, or too many; nesting without end
  }
  const { message } = problem as Error;
  throw new SesdError('SESD_USAGE', `${path} is not valid YAML: ${message.trim()}`, { cause: problem });
}

/** The options as config.yaml holds them: without those of one invocation, with absolute paths. */
export function formatOptions(options: TrainOptions): string {
  const values: Record<string, unknown> = {};
  for (const { name, transient, path } of trainFields) {
    const value = options[name as keyof TrainOptions];
    if (transient || value === undefined) continue;
    values[name] = path && typeof value === 'string' ? resolvePath(value) : value;
  }
  return stringify(values);
}

/** What no field can know alone. */
function checkTogether(options: TrainOptions): void {
  if (options.precision === 'fp16' && options.backend === 'ort-training') {
    throw new SesdError('SESD_USAGE', '--precision fp16 and --backend ort-training exclude each other.', {
      hint: 'float16 needs its loss scaled, which that backend does not do: use bf16 or fp32.',
    });
  }
  if (options.precision === 'bf16' && options.device !== 'cuda' && !options.fuse) {
    throw new SesdError('SESD_USAGE', '--precision bf16 and --no-fuse exclude each other.', {
      hint: 'On the CPU the stock operators of --no-fuse compute in fp32.',
    });
  }
  checkTask(options);
  if (options.train === undefined) {
    for (const [flag, value] of [
      ['--dev', options.dev],
      ['--test', options.test],
    ]) {
      if (typeof value === 'string') {
        throw new SesdError('SESD_USAGE', `${flag} ${value} was given without --train.`, {
          hint: 'Name the training file too; without one the embedded sample task is trained.',
        });
      }
    }
  } else if (options.dev === undefined && options.patience !== undefined) {
    throw new SesdError('SESD_USAGE', '--patience needs examples to evaluate on.', {
      hint: 'Name them with --dev FILE, or set some aside with --dev 0.1.',
    });
  }
  checkPool(options);
  checkRDrop(options);
  checkWholeStep(options);
  if (options.problemType === 'regression') checkRegression(options);
  if (options.force && options.resume !== undefined) {
    throw new SesdError('SESD_USAGE', '--force and --resume exclude each other.', {
      hint: '--resume goes on with a run, --force replaces it.',
    });
  }
}

/** Options of the teacher that contradict each other. */
function checkPool({
  strategy,
  window,
  poolSize,
  poolSelect,
  poolIncludesStudent,
  average,
  export: exported,
  distance = 'mse',
  temperature,
}: TrainOptions): void {
  const fail = (message: string, hint: string) => {
    throw new SesdError('SESD_USAGE', message, { hint });
  };
  if (poolSize !== undefined && window !== 'all' && poolSize < window) {
    fail(
      `--pool-size ${poolSize} is less than the ${window} students of --window.`,
      'Leave one of them out: alone each says both.',
    );
  }
  if (poolSelect !== 'recent' && (poolSize === undefined || window === 'all' || poolSize === window)) {
    fail(
      `--pool-select ${poolSelect} chooses among more students than the teacher averages.`,
      'Name both, such as --window 3 --pool-size 10.',
    );
  }
  if (poolSelect === 'best' && poolIncludesStudent) {
    fail(
      '--pool-select best and --pool-includes-student exclude each other: a student is measured before it is taken in.',
      'Leave one of them out.',
    );
  }
  if (average === 'teacher' && !['sda', 'ema'].includes(strategy)) {
    fail(`--average teacher: ${strategy} has no teacher of averaged weights.`, 'Use --average se or none.');
  }
  const averages = average === 'se' || (average !== 'none' && ['sda', 'ema', 'se'].includes(strategy));
  if (exported === 'teacher' && !averages) {
    fail(
      `--export teacher: ${strategy} has no teacher or other average of weights to write.`,
      'Use --export student, --strategy sda, or --average se.',
    );
  }
  if (temperature !== 1 && !distance.endsWith('kl')) {
    fail(`--temperature ${temperature}: ${distance} has none.`, 'Use --distance kl or symmetric-kl.');
  }
}

/** A task names the files of every split and their columns. */
function checkTask(options: TrainOptions): void {
  const { task, data } = options;
  if (task === undefined) {
    if (data === undefined) return;
    throw new SesdError('SESD_USAGE', `--data ${data} was given without --task.`, {
      hint: 'Name the dataset with --task; your own files are given with --train FILE.',
    });
  }
  if (data === undefined) {
    throw new SesdError('SESD_USAGE', `--task ${task} needs the folder of its files.`, {
      hint: 'Name it with --data DIR.',
    });
  }
  const { train, dev, test, text, textPair, label } = options;
  for (const [name, value] of Object.entries({ train, dev, test, text, textPair, label })) {
    if (typeof value !== 'string') continue;
    throw new SesdError('SESD_USAGE', `${flagOf(name)} ${value}: --task ${task} has its own files.`, {
      hint: `Leave out ${flagOf(name)}, or --task and --data.`,
    });
  }
}

/** What means nothing where numbers are predicted. */
function checkRegression({ distance, classWeights, labelSmoothing }: TrainOptions): void {
  const wrong =
    distance !== 'mse'
      ? `--distance ${distance}: one number has no distribution to compare, use mse`
      : classWeights !== undefined
        ? '--class-weights: a regression has no classes'
        : labelSmoothing !== 0
          ? `--label-smoothing ${labelSmoothing}: a regression has no classes to spread a label over`
          : undefined;
  if (wrong === undefined) return;
  throw new SesdError('SESD_USAGE', `${wrong}.`, {
    hint: 'Leave it out, or leave out --problem-type regression.',
  });
}
