import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { Batch } from '../../src/engine/engine.ts';
import { float16ToFloat32 } from '../../src/onnx/half.ts';
import type { ExportExtras, OpenedModel } from '../../src/train/model-provider.ts';
import { readModelFile } from '../../src/train/open-model.ts';
import { findPython, runPython } from '../parity/python.ts';
import { assertClose, relativeDifference } from './compare.ts';
import { batchOf, compareWithPyTorch } from './compare-with-pytorch.ts';
import { checkPlacement, openOnDevice } from './on-device.ts';
import { checkPlaces } from './places.ts';
import { readZoo, type ZooRecord } from './record.ts';
import { scaleDropout } from './scaled-dropout.ts';
import { ZooTable } from './table.ts';

const search = await findPython();
/**
 * SESD_ZOO: a folder export.py wrote before; SESD_ZOO_ONLY: a part of the variants' names; SESD_ZOO_TABLE: where to
 * write what was measured, as a table in Markdown.
 */
const { SESD_ZOO: given, SESD_ZOO_ONLY: only = '', SESD_ZOO_TABLE: tableFile } = process.env;
const table = new ZooTable();

const scratch = mkdtempSync(join(tmpdir(), 'sesd-zoo-'));
/** Exports with one thread each, side by side. */
const parallel = 2;
if (search.python && !given) {
  const { python } = search;
  const parts = Array.from({ length: parallel }, (_, index) => `${index + 1}/${parallel}`);
  await Promise.all(
    parts.map((part) => runPython(python, 'test/zoo/export.py', [scratch, '--only', only, '--part', part])),
  );
  // Optimum needs an older transformers, so it lives in a folder of its own: see requirements-optimum.txt.
  const modules = '.venv/optimum';
  const args = [scratch, '--only', only || 'optimum', '--prefix', 'transformers4-'];
  if (existsSync(modules)) await runPython(python, 'test/zoo/export.py', args, { modules });
}
const zoo = search.python ? readZoo(given ?? scratch).filter(({ variant }) => variant.includes(only)) : [];

describe('exported BERTs train as in PyTorch', {
  skip: search.missing ?? false,
  concurrency: parallel,
}, () => {
  after(() => {
    rmSync(scratch, { recursive: true, force: true });
    if (tableFile) table.write(tableFile);
  });

  test('the folder has variants', () => assert.notEqual(zoo.length, 0));
  for (const record of zoo) {
    describe(record.variant, () => {
      for (const head of Object.keys(record.heads)) {
        const named = head === 'auto' ? '' : `--head ${head}, `;
        for (const fuse of [true, false]) {
          test(`${named}${fuse ? 'fused' : 'stock operators'}`, () => checkGradients(record, head, fuse));
        }
        test(`${named}graphs for a GPU`, () => checkOnDevice(record, head as 'auto'));
      }
      if (record.longest !== null) {
        test('takes sequences as long as its positions, no longer', () => checkLongest(record));
      }
      if (record.dropout) test('drops out where PyTorch does', () => checkDropout(record));
      test('three steps with dropout, exported', () => checkSteps(record, join(scratch, record.variant)));
    });
  }
});

async function open({ path }: ZooRecord, options: { head: string; dropout: number; fuse: boolean }) {
  const file = await readModelFile(path);
  return file.open({
    classes: 3,
    head: options.head as 'auto',
    dropout: options.dropout,
    fuse: options.fuse,
    seed: 1,
    device: 'cpu',
    precision: 'fp32',
    threads: 1,
  });
}

/** Logits, and the gradients of sum(logits · R) for every parameter of the model. */
async function checkGradients(record: ZooRecord, head: string, fuse: boolean): Promise<void> {
  const { engine, report } = await open(record, { head, dropout: 0, fuse });
  try {
    const { fused, packed } = report.training!;
    if (fuse && record.patterns) assert.deepEqual(fused, record.patterns);
    if (fuse) table.noteFused(record, { fused, packed });
    // A file of 16-bit floats has constants with 3 digits, like the √2 of GELU; fused operators have their own.
    const coarse = record.route.rounded !== null && !fuse;
    const { gradients, worst } = await compareWithPyTorch(engine, record, { head, coarse });
    table.note(record, fuse ? 'fused' : 'stock', worst);
    checkPlaces(report.training!.weights, gradients, record.layers);
  } finally {
    engine.close();
  }
}

/** The same by the graphs for a GPU. */
async function checkOnDevice(record: ZooRecord, head: 'auto'): Promise<void> {
  await checkPlacement(record.path, head);
  const engine = await openOnDevice(record.path, head);
  try {
    await compareWithPyTorch(engine, record, { head, coarse: record.route.rounded !== null });
  } finally {
    engine.close();
  }
}

/** Where a dropout is misplaced or missing, logits differ once each multiplies by a factor. */
async function checkDropout(record: ZooRecord): Promise<void> {
  const { factor, sites, data } = record.dropout!;
  const scaled = await scaleDropout(record, factor);
  assert.equal(scaled.sites, sites, 'number of dropout sites');
  assertClose('logits', scaled.logits, data, { relative: 1e-5, absolute: 1e-6 });
}

async function checkLongest(record: ZooRecord): Promise<void> {
  const { engine } = await open(record, { head: 'auto', dropout: 0, fuse: true });
  try {
    assert.equal(engine.maxPositions, record.longest);
    const { data } = await engine.infer(engine.student, sequenceOf(record.longest!));
    assert.ok(data.every(Number.isFinite), `${data}`);
    await assert.rejects(engine.infer(engine.student, sequenceOf(record.longest! + 1)));
  } finally {
    engine.close();
  }
}

function sequenceOf(length: number): Batch {
  return {
    rows: 1,
    length,
    examples: 1,
    inputIds: new BigInt64Array(length).fill(5n),
    attentionMask: new BigInt64Array(length).fill(1n),
    tokenTypeIds: new BigInt64Array(length),
  };
}

/** Steps change the weights in the right direction, and the exported file holds them. */
async function checkSteps(record: ZooRecord, folder: string): Promise<void> {
  const opened = await open(record, { head: 'auto', dropout: 0.1, fuse: true });
  const { engine } = opened;
  try {
    const batch = batchOf(record);
    const before = await engine.infer(engine.student, batch);
    for (let step = 1; step <= 3; step++) {
      const logits = await engine.forward(batch, { dropoutKey: [7, step] });
      if (step === 1) assert.notDeepEqual(logits.data, before.data, 'dropout changes nothing');
      await engine.backward(Float32Array.from(logits.data, (value) => value / 3));
      const { gradNorm } = await engine.update({
        step,
        // small enough for each step to go down whatever dropout leaves out
        learningRate: 1e-4,
        headLearningRate: 1e-4,
        weightDecay: 0.01,
        maxGradNorm: 1,
      });
      assert.ok(Number.isFinite(gradNorm) && gradNorm > 0, `gradient norm ${gradNorm} at step ${step}`);
    }
    const trained = await engine.infer(engine.student, batch);
    // The loss was the squared logits over 6: three steps down make them smaller.
    const squares = ({ data }: { data: Float32Array }) => data.reduce((sum, value) => sum + value * value, 0);
    assert.ok(squares(trained) < squares(before), `${squares(trained)} after, ${squares(before)} before`);
    const { rounded, convert } = record.route;
    for (const dtype of convert.length > 0
      ? (['source', 'float32', 'float16'] as const)
      : ['source' as const]) {
      const exported = await runExported(opened, record, { folder: `${folder}-${dtype}`, dtype });
      const digits = exportedDigits(dtype, rounded);
      const close =
        digits === undefined
          ? { relative: 1e-5, absolute: 2e-6 }
          : { relative: 0, absolute: digits * Math.max(...trained.data.map(Math.abs)) };
      assertClose(`logits of the file exported as ${dtype}`, exported, [...trained.data], close);
      if (dtype === 'source') table.note(record, 'reloaded', relativeDifference(exported, [...trained.data]));
    }
  } finally {
    engine.close();
  }
}

/**
 * How far logits of a file with 16-bit floats may be off, relative to the largest: it holds the trained weights, and
 * the constants, with 3 digits (bfloat16 with 2), and may compute with as many.
 */
function exportedDigits(dtype: Dtype, rounded: ZooRecord['route']['rounded']): number | undefined {
  if (dtype === 'source') return rounded ? { float16: 5e-3, bfloat16: 2e-2 }[rounded] : undefined;
  if (dtype === 'float16') return 5e-3;
  return rounded ? 2e-4 : undefined;
}

type Dtype = ExportExtras['exportDtype'];

/** Logits of the exported model in onnxruntime-node alone. */
async function runExported(
  opened: OpenedModel,
  record: ZooRecord,
  { folder, dtype }: { folder: string; dtype: Dtype },
): Promise<Float32Array> {
  await opened.export(folder, {
    problemType: 'classification',
    id2label: { 0: 'a', 1: 'b', 2: 'c' },
    label2id: { a: 0, b: 1, c: 2 },
    tokenizerFiles: [],
    maxLength: 16,
    truncate: 'head',
    exportDtype: dtype,
  });
  const session = await InferenceSession.create(join(folder, 'model.onnx'));
  const feeds = Object.values(record.inputs).map((input) => {
    const int32 = session.inputMetadata.some(
      (each) => each.name === input!.name && each.isTensor && each.type === 'int32',
    );
    const data = int32 ? Int32Array.from(input!.data) : BigInt64Array.from(input!.data, BigInt);
    return [input!.name, new Tensor(int32 ? 'int32' : 'int64', data, input!.dims)] as const;
  });
  const results = await session.run(Object.fromEntries(feeds));
  const logits = Object.values(results).find(({ dims }) => dims.length === 2 && dims[1] === 3);
  assert.ok(logits, `no logits among ${session.outputNames}`);
  if (dtype !== 'source') assert.equal(logits.type, 'float32');
  const { buffer } = logits.data as Float32Array | Uint16Array;
  return logits.type === 'float16' ? float16ToFloat32(new Uint8Array(buffer)) : new Float32Array(buffer);
}
