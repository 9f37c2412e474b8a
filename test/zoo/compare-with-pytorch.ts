import type { Batch, Engine } from '../../src/engine/engine.ts';
import { assertClose, compareGradients } from './compare.ts';
import type { HeadRecord, StoredArray, ZooRecord } from './record.ts';

/**
 * Logits, and the gradients of sum(logits · R) for every parameter of the model.
 * @param coarse whether constants have 3 digits
 * @returns PyTorch's gradients by the engine's names, and the largest difference
 */
export async function compareWithPyTorch(
  engine: Engine,
  record: ZooRecord,
  { head, coarse }: { head: string; coarse: boolean },
): Promise<{ gradients: HeadRecord['gradients']; worst: number }> {
  const stored = record.heads[head]!;
  const names = ownNames(engine);
  if (stored.weight) await writeClassifier(engine, stored, names);
  const batch = batchOf(record);
  const largest = Math.max(...stored.logits.data.map(Math.abs));
  const close = coarse ? { relative: 0, absolute: 1e-4 * largest } : { relative: 1e-5, absolute: 1e-6 };
  const inferred = await engine.infer(engine.student, batch);
  assertClose('logits of inference', inferred.data, stored.logits.data, close);
  const logits = await engine.forward(batch, { dropoutKey: [1, 2] });
  assertClose('logits', logits.data, stored.logits.data, close);
  await engine.backward(Float32Array.from(stored.R));
  const gradients = Object.fromEntries(
    Object.entries(stored.gradients).map(([name, given]) => [names.get(name) ?? name, given]),
  );
  const expected = { ...stored, gradients };
  return { gradients, worst: compareGradients(await readGradients(engine), expected, coarse ? 1e-3 : 1e-4) };
}

/** The inputs PyTorch had. */
export function batchOf({ inputs }: ZooRecord): Batch {
  const [rows, length] = inputs.input_ids!.dims as [number, number];
  const values = (stored: StoredArray | undefined, absent: bigint) =>
    stored ? BigInt64Array.from(stored.data, BigInt) : new BigInt64Array(rows * length).fill(absent);
  return {
    rows,
    length,
    examples: rows,
    inputIds: values(inputs.input_ids, 0n),
    attentionMask: values(inputs.attention_mask, 1n),
    tokenTypeIds: values(inputs.token_type_ids, 0n),
  };
}

/** What the classifier's parameters are called where the file's own head has their names. */
function ownNames({ parameters }: Engine): Map<string, string> {
  const own = parameters.filter(({ name }) => name.startsWith('sesd.'));
  return new Map(own.map(({ name }) => [name.slice('sesd.'.length), name]));
}

async function writeClassifier(
  engine: Engine,
  { weight, bias }: HeadRecord,
  names: ReadonlyMap<string, string>,
): Promise<void> {
  const own = new Map([
    [names.get('classifier.weight') ?? 'classifier.weight', weight],
    [names.get('classifier.bias') ?? 'classifier.bias', bias],
  ]);
  const weights: { name: string; data: Float32Array }[] = [];
  for await (const { name, data } of engine.student.read()) {
    const stored = own.get(name);
    weights.push({ name, data: stored ? Float32Array.from(stored.data) : data });
  }
  async function* given() {
    yield* weights;
  }
  await engine.student.write(given());
}

/** After the first update AdamW's first moment is 0.1 times the gradient: the engine's own way to read it. */
async function readGradients(engine: Engine): Promise<Map<string, Float32Array>> {
  await engine.update({
    step: 1,
    learningRate: 0,
    headLearningRate: 0,
    weightDecay: 0,
    maxGradNorm: Number.MAX_VALUE,
  });
  const gradients = new Map<string, Float32Array>();
  for await (const { name, data } of engine.readMoments('m')) {
    gradients.set(
      name,
      data.map((value) => value / 0.1),
    );
  }
  return gradients;
}
