import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { readOptionsFile } from '../config/resolve.ts';
import { type TrainOptions, trainSchema } from '../config/train-options.ts';
import { LabelMap } from '../data/labels.ts';
import type { NamedArray, Weights } from '../engine/engine.ts';
import { SesdError } from '../errors.ts';
import { encodeAll } from '../tokenizer/encode-all.ts';
import { loadTokenizer } from '../tokenizer/load.ts';
import type { Tokenizer } from '../tokenizer/tokenizer.ts';
import { checkAlike, loadWeights, openMean } from './combine.ts';
import { embeddedModel } from './embedded-model.ts';
import { evaluate } from './evaluate.ts';
import type { SplitSummary } from './events.ts';
import type { NamedExamples } from './load-data.ts';
import { checkMetric, isBetter, metricOf } from './metric.ts';
import { readModelFile } from './open-model.ts';
import { classification, exportExtras, type Problem, regression } from './problem.ts';
import { type OpenTrainedOptions, openTrained, type TrainedModel } from './trained-model.ts';

export interface SoupOptions extends OpenTrainedOptions {
  method: 'uniform' | 'greedy' | 'wise';
  /** Share of the fine-tuned weights in `wise`, from 0 to 1. */
  alpha: number;
  /** What `greedy` goes by, and what the soup is measured on. */
  dev?: NamedExamples | undefined;
  metric: TrainOptions['metric'];
  signal?: AbortSignal | undefined;
}

export interface Soup {
  /** Folders that went in, in the order they did. */
  ingredients: readonly string[];
  /** The models alone, with `greedy`. */
  alone?: ReadonlyMap<string, SplitSummary>;
  /** The soup itself on dev, where there is one. */
  dev?: SplitSummary;
}

/**
 * Makes one model of trained ones and writes it to a folder like a run's `model/`.
 *
 * - `uniform`: the mean of their weights (Wortsman et al. 2022, "Model soups").
 * - `greedy`: from the best on dev to the worst, each is added to the mean if dev does not get worse by that.
 * - `wise`: (1−α)·θ_0 + α·θ of one run, θ_0 being the weights it was started from (WiSE-FT, Wortsman et al.
 *   2022, "Robust fine-tuning of zero-shot models"). A classifier that was attached new, and layers that
 *   began anew, exist in θ alone and stay as they are: between random and trained weights there is nothing to gain.
 *
 * @param folders of runs or models, of one source model and the same labels
 * @throws SesdError SESD_BAD_MODEL naming the tensor or labels in which they differ; SESD_USAGE, SESD_OUTPUT
 */
export async function makeSoup(
  folders: readonly string[],
  target: string,
  options: SoupOptions,
): Promise<Soup> {
  await checkTarget(target);
  const [first] = folders as [string, ...string[]];
  const opened =
    options.method === 'uniform' ? await openMean(folders, options) : await openTrained(first, options);
  try {
    const { file, labels, model } = opened;
    const tokenizer = await loadTokenizer(file.folder);
    const { maxLength, truncate } = file.config?.sesd_train ?? { maxLength: 128, truncate: 'head' as const };
    const { dev: examples, signal } = options;
    const problem = problemOf(opened, examples);
    if (examples) checkMetric(options.metric, { type: problem.type, labels });
    const encoding = { maxLength, truncate };
    const measure = examples && (await measureOn(examples, opened, { problem, tokenizer, encoding, signal }));
    let soup: Soup = { ingredients: folders };
    if (options.method === 'greedy') soup = await addGreedily(folders, opened, measure!, options);
    if (options.method === 'wise') await interpolate(first, opened, options);
    const dev = await measure?.(model.engine.student);
    const extras = exportExtras(problem, tokenizer.files, { ...encoding, exportDtype: 'source' });
    await model.export(target, extras);
    return { ...soup, ...(dev && { dev }) };
  } finally {
    opened.model.engine.close();
  }
}

type Measure = (weights: Weights) => Promise<SplitSummary>;

/** What trained models predict, and how the examples write it. */
function problemOf({ file, labels, isRegression }: TrainedModel, dev: NamedExamples | undefined): Problem {
  if (isRegression) return regression;
  const written = dev && LabelMap.fromConfig(file.config?.id2label, dev.examples, dev.name);
  return classification(written ?? new LabelMap(labels));
}

interface MeasureOptions {
  problem: Problem;
  tokenizer: Tokenizer;
  encoding: Pick<TrainOptions, 'maxLength' | 'truncate'>;
  signal: AbortSignal | undefined;
}

async function measureOn(
  { examples, name }: NamedExamples,
  { model: { engine } }: TrainedModel,
  { problem, tokenizer, encoding, signal }: MeasureOptions,
): Promise<Measure> {
  const labels = problem.target.encode(examples, name);
  const encoded = await encodeAll(tokenizer, examples, { ...encoding, labels }, signal);
  const { padId } = tokenizer;
  return (weights) => evaluate(engine, weights, encoded, { problem, padId, signal });
}

/** Leaves the soup in the student. */
async function addGreedily(
  folders: readonly string[],
  opened: TrainedModel,
  measure: Measure,
  options: SoupOptions,
): Promise<Soup> {
  const { engine } = opened.model;
  const load = (folder: string) => loadWeights(folder, { into: engine.student, like: opened }, options);
  const value = (scores: SplitSummary) => metricOf(scores, options.metric);
  const isWorse = (a: SplitSummary, b: SplitSummary) => isBetter(options.metric, value(b), value(a));

  const alone = new Map<string, SplitSummary>();
  for (const folder of folders) {
    await load(folder);
    alone.set(folder, await measure(engine.student));
  }
  const [best, ...others] = [...alone].sort(([, a], [, b]) => {
    if (isWorse(a, b)) return 1;
    return isWorse(b, a) ? -1 : a.loss - b.loss;
  }) as [[string, SplitSummary], ...[string, SplitSummary][]];

  const ingredients = [best[0]];
  let reached = best[1];
  await load(best[0]);
  const soup = await engine.createWeights();
  const candidate = await engine.createWeights();
  for (const [folder] of others) {
    await load(folder);
    await candidate.copyFrom(soup);
    const weight = 1 / (ingredients.length + 1);
    await engine.average(engine.student, [{ kind: 'blend', into: candidate, weight }]);
    const found = await measure(candidate);
    if (isWorse(found, reached)) continue;
    reached = found;
    ingredients.push(folder);
    await soup.copyFrom(candidate);
  }
  await engine.student.copyFrom(soup);
  soup.release();
  candidate.release();
  return { ingredients, alone };
}

/** Leaves (1−α)·θ_0 + α·θ in the student, which is θ. */
async function interpolate(run: string, tuned: TrainedModel, options: SoupOptions): Promise<void> {
  const config = trainSchema.parse(readOptionsFile(join(run, 'config.yaml')));
  const file = await (options.readModel ?? readModelFile)(config.onnx ?? embeddedModel.folder);
  const { labels } = tuned;
  const { threads, runtime } = options;
  const model = await file.open({
    ...config,
    ...{ freeze: undefined, device: 'cpu', threads, runtime, classes: labels.length },
  });
  const { engine } = tuned.model;
  const initial = await engine.createWeights();
  try {
    checkAlike(tuned, { ...tuned, file, model });
    const { training } = model.report;
    const isNew = training?.head.kind !== 'existing';
    const head = model.engine.parameters.filter(({ group }) => isNew && group === 'head');
    const anew = training?.weights.filter(({ reinitialized }) => reinitialized) ?? [];
    const kept = new Set([...head, ...anew].map(({ name }) => name));
    await initial.write(replaced(model.engine.student, engine.student, kept));
    await engine.average(engine.student, [{ kind: 'blend', into: initial, weight: options.alpha }]);
    await engine.student.copyFrom(initial);
  } finally {
    initial.release();
    model.engine.close();
  }
}

/** The weights with those of some names from another set. */
async function* replaced(
  weights: Weights,
  other: Weights,
  names: ReadonlySet<string>,
): AsyncGenerator<NamedArray> {
  for await (const each of weights.read()) if (!names.has(each.name)) yield each;
  for await (const each of other.read()) if (names.has(each.name)) yield each;
}

async function checkTarget(target: string): Promise<void> {
  const found = await stat(target).catch(() => undefined);
  if (found === undefined) return;
  throw new SesdError('SESD_OUTPUT', `--output ${target} exists.`, { hint: 'Name a folder that does not.' });
}
