import type { EncodedExample } from '../data/example.ts';
import type { Weights } from '../engine/engine.ts';
import { RunningMean } from '../ensemble/running-mean.ts';
import { SesdError } from '../errors.ts';
import { softmax } from '../metrics/classification.ts';
import { type InferOptions, inferAll } from './evaluate.ts';
import { type OpenTrainedOptions, openTrained, type TrainedModel } from './trained-model.ts';

/**
 * Opens the mean of classifiers (BERT_AVG of arXiv 2002.10345; the uniform soup of Wortsman et al. 2022): the
 * first one's model with θ = 1/N · Σ θ⁽ᵏ⁾ as its student. Their weights are in memory one by one, however many
 * there are.
 *
 * @param folders at least one
 * @throws SesdError SESD_BAD_MODEL naming the tensor or labels in which two of them differ
 */
export async function openMean(
  folders: readonly string[],
  options: OpenTrainedOptions,
): Promise<TrainedModel> {
  const [first, ...others] = folders as [string, ...string[]];
  const opened = await openTrained(first, options);
  const { engine } = opened.model;
  try {
    const mean = await RunningMean.create(engine);
    const take = async () => {
      await engine.average(engine.student, await mean.next());
      mean.taken();
    };
    await take();
    for (const folder of others) {
      await loadWeights(folder, { into: engine.student, like: opened }, options);
      await take();
    }
    await engine.student.copyFrom(mean.mean);
    mean.release();
    return opened;
  } catch (error) {
    engine.close();
    throw error;
  }
}

/**
 * Loads the weights of another classifier of the same architecture and labels.
 * @throws SesdError SESD_BAD_MODEL naming the tensor or labels in which they differ
 */
export async function loadWeights(
  folder: string,
  { into, like }: { into: Weights; like: TrainedModel },
  options: OpenTrainedOptions,
): Promise<void> {
  // Its weights are read, nothing is computed with it.
  const other = await openTrained(folder, { ...options, device: 'cpu' });
  try {
    checkAlike(like, other);
    await into.write(other.model.engine.student.read());
  } finally {
    other.model.engine.close();
  }
}

/** @throws SesdError SESD_BAD_MODEL naming the first tensor, or the labels, in which two models differ */
export function checkAlike(one: TrainedModel, other: TrainedModel): void {
  const differ = (what: string) =>
    new SesdError('SESD_BAD_MODEL', `${other.file.file} and ${one.file.file} cannot be averaged: ${what}.`, {
      hint: 'Average runs of the same --onnx model and the same labels.',
    });
  if (one.labels.join('\0') !== other.labels.join('\0'))
    throw differ(`their labels are ${other.labels.join(', ')} and ${one.labels.join(', ')}`);
  const dims = new Map(other.model.engine.parameters.map((parameter) => [parameter.name, parameter.dims]));
  for (const { name, dims: expected } of one.model.engine.parameters) {
    const found = dims.get(name);
    if (found?.join() !== expected.join())
      throw differ(
        found
          ? `tensor ${name} has the shapes [${found.join(', ')}] and [${expected.join(', ')}]`
          : `tensor ${name} [${expected.join(', ')}] is in the second only`,
      );
    dims.delete(name);
  }
  const [surplus] = dims;
  if (surplus) throw differ(`tensor ${surplus[0]} [${surplus[1].join(', ')}] is in the first only`);
}

/**
 * The vote of classifiers (BERT_VOTE of arXiv 2002.10345) on sets of examples: log of the mean of the
 * probabilities 1/N · Σ softmax(f(x; θ⁽ᵏ⁾)), which serves as logits. One model is in memory at a time.
 *
 * @returns a set's logits [examples, classes], under its name
 */
export async function voteOn<Name extends string>(
  folders: readonly string[],
  sets: ReadonlyMap<Name, readonly EncodedExample[]>,
  options: OpenTrainedOptions & InferOptions,
): Promise<Map<Name, Float32Array>> {
  const sums = new Map<Name, Float64Array>();
  for (const folder of folders) {
    const { engine } = (await openTrained(folder, options)).model;
    try {
      for (const [name, examples] of sets) {
        const logits = await inferAll(engine, engine.student, examples, options);
        const sum = sums.get(name) ?? new Float64Array(logits.length);
        softmax(logits, engine.classes).forEach((probability, i) => {
          sum[i]! += probability;
        });
        sums.set(name, sum);
      }
    } finally {
      engine.close();
    }
  }
  const logOfMean = (sum: number) => Math.log(sum / folders.length);
  return new Map([...sums].map(([name, sum]) => [name, Float32Array.from(sum, logOfMean)]));
}
