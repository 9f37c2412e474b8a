import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { prepareBert } from '../../src/bert/prepare.ts';
import { createEngine } from '../../src/engine/backends/onnx-runtime.ts';
import type { Batch, Engine } from '../../src/engine/engine.ts';
import type { Graph } from '../../src/graph/graph.ts';
import { importGraph } from '../../src/graph/import.ts';
import { readModel } from '../../src/onnx/read.ts';
import { findPython, runPython } from '../parity/python.ts';
import { type HeadRecord, readZoo, type StoredArray, type ZooRecord } from './record.ts';

const search = await findPython();
const made = process.env.SESD_ZOO === undefined ? mkdtempSync(join(tmpdir(), 'sesd-zoo-')) : undefined;
const folder = process.env.SESD_ZOO ?? made!;
const only = process.env.SESD_ZOO_ONLY ?? '';

describe('exported BERTs train as in PyTorch', { skip: search.missing ?? false }, async () => {
  after(() => made && rmSync(made, { recursive: true, force: true }));
  if (made) await runPython(search.python!, 'test/zoo/export.py', [made]);

  for (const record of readZoo(folder).filter(({ variant }) => variant.includes(only))) {
    describe(record.variant, () => {
      for (const head of Object.keys(record.heads)) {
        for (const fuse of [true, false]) {
          test(`${head === 'auto' ? '' : `--head ${head}, `}${fuse ? 'fused' : 'stock operators'}`, () =>
            checkAgainstPyTorch(record, head, fuse));
        }
      }
      test('three steps with dropout', () => checkSteps(record));
    });
  }
});

async function readGraph(record: ZooRecord): Promise<Graph> {
  return importGraph(await readModel(record.path));
}

function batchOf({ inputs }: ZooRecord): Batch {
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

async function checkAgainstPyTorch(record: ZooRecord, head: string, fuse: boolean): Promise<void> {
  const stored = record.heads[head]!;
  const { plan } = await prepareBert(await readGraph(record), {
    classes: stored.logits.dims[1]!,
    head: head as 'auto',
    dropout: 0,
    fuse,
    seed: 1,
  });
  const engine = await createEngine(plan, { threads: 1 });
  try {
    if (stored.weight) await writeClassifier(engine, stored);
    const batch = batchOf(record);
    const inferred = await engine.infer(engine.student, batch);
    assertClose('inferred logits', inferred.data, stored.logits.data, 1e-5, 1e-6);
    const logits = await engine.forward(batch, { dropoutKey: [1, 2] });
    assertClose('logits', logits.data, stored.logits.data, 1e-5, 1e-6);
    await engine.backward(Float32Array.from(stored.R));
    await checkGradients(engine, stored);
  } finally {
    engine.close();
  }
}

async function writeClassifier(engine: Engine, { weight, bias }: HeadRecord): Promise<void> {
  const own = new Map([
    ['classifier.weight', weight!],
    ['classifier.bias', bias!],
  ]);
  const arrays = [];
  for await (const { name, data } of engine.student.read()) {
    const stored = own.get(name);
    arrays.push({ name, data: stored ? Float32Array.from(stored.data) : data });
  }
  await engine.student.write(
    (async function* () {
      yield* arrays;
    })(),
  );
}

/** After the first update AdamW's first moment is 0.1 times the gradient: the engine's own way to read it. */
async function checkGradients(engine: Engine, stored: HeadRecord): Promise<void> {
  await engine.update({
    step: 1,
    learningRate: 0,
    headLearningRate: 0,
    weightDecay: 0,
    maxGradNorm: Number.MAX_VALUE,
  });
  const found = new Map<string, Float32Array>();
  for await (const { name, data } of engine.readMoments('m')) {
    found.set(
      name,
      data.map((value) => value / 0.1),
    );
  }
  const largest = Math.max(...Object.values(stored.gradients).flatMap(({ data }) => data.map(Math.abs)));
  for (const [name, expected] of Object.entries(stored.gradients)) {
    const gradient = found.get(name);
    assert.ok(gradient, `${name} is not among the trained parameters`);
    found.delete(name);
    const scale = Math.max(...expected.data.map(Math.abs));
    assertClose(`gradient of ${name}`, gradient, expected.data, 0, 1e-4 * scale + 1e-6 * largest);
  }
  for (const name of stored.ambiguous) found.delete(name);
  // A table that was folded while exporting is a parameter PyTorch does not know.
  assert.ok(found.size <= Object.keys(stored.unmatched).length, `unknown: ${[...found.keys()]}`);
}

function assertClose(
  what: string,
  found: ArrayLike<number>,
  expected: readonly number[],
  relative: number,
  absolute: number,
): void {
  assert.equal(found.length, expected.length, `${what}: number of elements`);
  expected.forEach((value, index) => {
    const difference = Math.abs(found[index]! - value);
    assert.ok(
      difference <= absolute + relative * Math.abs(value),
      `${what}: element ${index} is ${found[index]}, expected ${value}`,
    );
  });
}

async function checkSteps(record: ZooRecord): Promise<void> {
  const { plan } = await prepareBert(await readGraph(record), {
    classes: 3,
    head: 'auto',
    dropout: 0.1,
    fuse: true,
    seed: 1,
  });
  const engine = await createEngine(plan, { threads: 1 });
  try {
    const batch = batchOf(record);
    const before = await engine.infer(engine.student, batch);
    for (let step = 1; step <= 3; step++) {
      const logits = await engine.forward(batch, { dropoutKey: [7, step] });
      assert.notDeepEqual(logits.data, before.data, 'dropout changes nothing');
      await engine.backward(Float32Array.from(logits.data, (value) => value / 3));
      const { gradNorm } = await engine.update({
        step,
        learningRate: 1e-3,
        headLearningRate: 1e-3,
        weightDecay: 0.01,
        maxGradNorm: 1,
      });
      assert.ok(Number.isFinite(gradNorm) && gradNorm > 0, `gradient norm ${gradNorm} at step ${step}`);
    }
    // The loss was half the squared logits: three steps down make them smaller.
    const squares = ({ data }: { data: Float32Array }) => data.reduce((sum, value) => sum + value * value, 0);
    assert.ok(squares(await engine.infer(engine.student, batch)) < squares(before));
  } finally {
    engine.close();
  }
}
