import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { SesdError } from '../../src/errors.ts';
import { exportModel } from '../../src/export/export-model.ts';
import { voteOf } from '../../src/export/vote.ts';
import { float32Tensor, int64Tensor } from '../../src/graph/builder.ts';
import type { TensorData } from '../../src/graph/graph.ts';
import { float32ToFloat16 } from '../../src/onnx/half.ts';
import type { OnnxModel } from '../../src/onnx/read.ts';
import { buildModel, bytesOf, int64, node } from '../onnx/build-model.ts';
import { type Feed, runModel } from '../onnx/run-model.ts';

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sesd-vote-'));
});
after(() => rm(folder, { recursive: true }));

const [vocabulary, hidden, classes] = [10, 32, 3];
const ids: Feed = { type: 'int64', dims: [2, 4], data: BigInt64Array.of(1n, 2n, 3n, 4n, 9n, 8n, 7n, 0n) };

/** ids [batch, sequence] → logits of the first token, with a second output that nobody asks for. */
function classifier(seed: number, opset = 17, dtype: 'float32' | 'float16' = 'float32'): OnnxModel {
  const tensor = (length: number, dims: number[]): TensorData => {
    const data = Float32Array.from({ length }, (_, i) => Math.sin(3 * i + seed));
    return dtype === 'float32' ? float32Tensor(data, dims) : { dtype, dims, bytes: float32ToFloat16(data) };
  };
  const proto = buildModel({
    opset,
    inputs: { input_ids: int64('batch', 'sequence') },
    outputs: {
      logits: { dtype, dims: ['batch', classes] },
      states: { dtype, dims: ['batch', 'sequence', hidden] },
    },
    nodes: [
      node('Gather', ['words', 'input_ids'], ['states']),
      node('Constant', [], ['first'], { value: int64Tensor([0], []) }),
      node('Gather', ['states', 'first'], ['cls'], { axis: 1 }),
      node('MatMul', ['cls', 'weight'], ['logits']),
    ],
    initializers: {
      words: tensor(vocabulary * hidden, [vocabulary, hidden]),
      weight: tensor(hidden * classes, [hidden, classes]),
    },
  });
  return { path: `model-${seed}.onnx`, proto, external: new Map() };
}

const probabilitiesOf = (logits: ArrayLike<number | bigint>): number[][] =>
  [0, 1].map((row) => {
    const exps = [0, 1, 2].map((c) => Math.exp(Number(logits[row * classes + c])));
    const sum = exps.reduce((a, b) => a + b);
    return exps.map((e) => e / sum);
  });

/** Exports the vote of two classifiers and compares it with the mean of what each gives alone. */
async function checkVote(
  name: string,
  make: (seed: number) => OnnxModel,
  { inlineLimit, tolerance = 1e-6 }: { inlineLimit?: number; tolerance?: number } = {},
): Promise<string> {
  const each: number[][][] = [];
  for (const seed of [1, 2]) {
    const { logits } = await runModel(bytesOf(classifier(seed).proto), { input_ids: ids });
    each.push(probabilitiesOf(logits!.data));
  }
  const { source, edit } = voteOf([make(1), make(2)], classes);
  const target = join(folder, name);
  const config = { id2label: { 0: 'a', 1: 'b', 2: 'c' }, label2id: { a: 0, b: 1, c: 2 } };
  await exportModel(target, { source, edit, config, ...(inlineLimit !== undefined && { inlineLimit }) });
  const outputs = await runModel(join(target, 'model.onnx'), { input_ids: ids });
  assert.deepEqual(Object.keys(outputs), ['logits']);
  const votes = probabilitiesOf(outputs.logits!.data);
  for (const row of [0, 1])
    for (const c of [0, 1, 2]) {
      const mean = (each[0]![row]![c]! + each[1]![row]![c]!) / 2;
      assert.ok(Math.abs(votes[row]![c]! - mean) < tolerance, `${name}: ${votes[row]![c]} and ${mean}`);
      assert.ok(Math.abs(Math.exp(Number(outputs.logits!.data[row * classes + c])) - mean) < tolerance);
    }
  return target;
}

describe('the vote of classifiers', () => {
  test('is one model that gives the log of their mean probabilities, at every opset', async () => {
    for (const opset of [11, 13, 17, 20])
      await checkVote(`opset-${opset}`, (seed) => classifier(seed, opset));
  });

  test('is computed in float32 where the members are in float16', async () => {
    await checkVote('half', (seed) => classifier(seed, 17, 'float16'), { tolerance: 0.01 });
  });

  test('goes to external data when it is too large for one file', async () => {
    const target = await checkVote('large', (seed) => classifier(seed), { inlineLimit: 2000 });
    assert.deepEqual(await readdir(target), ['config.json', 'model.onnx', 'model.onnx_data']);
  });

  test('is refused between models that take other inputs or are of another opset', () => {
    assert.throws(
      () => voteOf([classifier(1), classifier(2, 13)], classes),
      (error) => {
        assert.ok(error instanceof SesdError);
        assert.match(error.message, /model-2\.onnx has inputs input_ids \(ai\.onnx 13\), but model-1\.onnx/);
        return true;
      },
    );
  });
});
