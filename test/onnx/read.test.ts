import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { create } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { SesdError } from '../../src/errors.ts';
import { float32Tensor } from '../../src/graph/builder.ts';
import { importGraph } from '../../src/graph/import.ts';
import { serializeGraph } from '../../src/graph/serialize.ts';
import { having } from '../../src/onnx/encode.ts';
import {
  AttributeProtoSchema,
  FunctionProtoSchema,
  type ModelProto,
  StringStringEntryProtoSchema,
  type TensorProto,
  TensorProtoSchema,
} from '../../src/onnx/generated/onnx_pb.ts';
import { parseModel, readModel } from '../../src/onnx/read.ts';
import { floatElements, tensorData } from '../../src/onnx/tensor.ts';
import { buildModel, bytesOf, float, node } from './build-model.ts';

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sesd-read-'));
});
after(() => rm(folder, { recursive: true }));

let next = 0;
async function newFolder(): Promise<string> {
  const path = join(folder, `case-${next++}`);
  await mkdir(path);
  return path;
}

const refusal = (pattern: RegExp, hint?: RegExp) => (error: unknown) => {
  assert.ok(error instanceof SesdError, String(error));
  assert.equal(error.code, 'SESD_BAD_MODEL');
  assert.match(error.message, pattern);
  if (hint) assert.match(error.hint ?? '', hint);
  return true;
};

function linear(weights = float32Tensor([1, 2, 3, 4], [2, 2])): ModelProto {
  return buildModel({
    inputs: { x: float('batch', 2) },
    outputs: { y: float('batch', 2) },
    nodes: [node('MatMul', ['x', 'w'], ['y'])],
    initializers: { w: weights },
  });
}

/** The model with its weight in another file. */
function linearWith(entries: Record<string, string>): ModelProto {
  const model = linear();
  const tensor = model.graph!.initializer[0]!;
  tensor.rawData = new Uint8Array();
  tensor.dataLocation = 1;
  tensor.externalData = Object.entries(entries).map(([key, value]) =>
    create(StringStringEntryProtoSchema, { key, value }),
  );
  return model;
}

async function save(model: ModelProto, files: Record<string, Uint8Array> = {}): Promise<string> {
  const path = await newFolder();
  await writeFile(join(path, 'model.onnx'), bytesOf(model));
  for (const [name, content] of Object.entries(files)) await writeFile(join(path, name), content);
  return path;
}

const elements = new Uint8Array(Float32Array.of(1, 2, 3, 4).buffer);
const weight = (model: { proto: ModelProto; external: ReadonlyMap<TensorProto, Uint8Array> }) => [
  ...floatElements(tensorData(model.proto.graph!.initializer[0]!, model.external)),
];

test('a file, its folder, and a folder with onnx/model.onnx are all found', async () => {
  const path = await save(linear());
  const file = join(path, 'model.onnx');
  for (const given of [file, path]) {
    const model = await readModel(given);
    assert.equal(model.path, file);
    assert.deepEqual(weight(model), [1, 2, 3, 4]);
  }
  const outer = await newFolder();
  await mkdir(join(outer, 'onnx'));
  await writeFile(join(outer, 'onnx', 'model.onnx'), bytesOf(linear()));
  assert.equal((await readModel(outer)).path, join(outer, 'onnx', 'model.onnx'));
});

test('missing files and folders without a model are named', async () => {
  await assert.rejects(readModel(join(folder, 'nowhere.onnx')), refusal(/there is no .*nowhere\.onnx/));
  const path = await newFolder();
  await writeFile(join(path, 'bert.onnx'), 'x');
  await writeFile(join(path, 'README.md'), 'x');
  await assert.rejects(readModel(path), refusal(/has no model\.onnx.*README\.md, bert\.onnx/, /bert\.onnx$/));
});

test('what is not a file is refused without being opened', {
  skip: process.platform === 'win32',
}, async () => {
  const fifo = join(await newFolder(), 'model.onnx');
  execFileSync('mkfifo', [fifo]);
  await assert.rejects(readModel(fifo), refusal(/neither a file nor a folder/));
});

test('files of other kinds are named for what they are', () => {
  const cases: [string | Uint8Array, RegExp][] = [
    [new Uint8Array(), /is empty/],
    ['\x89PNG\r\n\x1a\n....', /PNG image/],
    ['<!DOCTYPE html><html>', /HTML/],
    ['\n  <html>', /HTML/],
    ['{"model_type": "bert"}', /JSON/],
    ['PK\x03\x04\x14\0', /PyTorch/],
    ['\x80\x02}q\0', /pickle/],
    [`${'\x40\0\0\0\0\0\0\0'}{"__metadata__"`, /safetensors/],
    ['version https://git-lfs.github.com/spec/v1\noid', /Git LFS pointer/],
    ['GGUF\x03\0\0\0', /GGUF/],
    ['\x18\0\0\0ORTM', /\.ort/],
    ['[PAD]\n[UNK]\n', /JSON|text/],
    ['hello world', /text file/],
    [new Uint8Array(100), /not an ONNX file/],
  ];
  for (const [content, pattern] of cases) {
    const bytes = typeof content === 'string' ? Buffer.from(content, 'latin1') : content;
    assert.throws(() => parseModel(bytes, 'f.onnx'), refusal(pattern));
  }
});

test('a file cut short says so, wherever it is cut', () => {
  const bytes = bytesOf(linear());
  let cutShort = 0;
  for (let length = 1; length < bytes.length; length++) {
    try {
      importGraph({ path: 'f', proto: parseModel(bytes.subarray(0, length), 'f'), external: new Map() });
      assert.fail(`${length} of ${bytes.length} bytes were taken for a model`);
    } catch (error) {
      assert.ok(error instanceof SesdError, String(error));
      if (/is cut short/.test(error.message)) cutShort++;
    }
  }
  assert.ok(cutShort > bytes.length * 0.7);
});

test('external data is read by offset and length', async () => {
  const padded = Buffer.concat([Buffer.alloc(64), elements, Buffer.alloc(8)]);
  const path = await save(linearWith({ location: 'w.bin', offset: '64', length: '16' }), { 'w.bin': padded });
  assert.deepEqual(weight(await readModel(path)), [1, 2, 3, 4]);
  const whole = await save(linearWith({ location: 'w.bin' }), { 'w.bin': elements });
  assert.deepEqual(weight(await readModel(whole)), [1, 2, 3, 4]);
});

test('a region several tensors share is read once', async () => {
  const model = linearWith({ location: 'w.bin' });
  model.graph!.initializer.push(having(model.graph!.initializer[0]!, { name: 'tied' }));
  const read = await readModel(await save(model, { 'w.bin': elements }));
  const [first, second] = read.proto.graph!.initializer.map((tensor) => read.external.get(tensor));
  assert.ok(first !== undefined && first === second);
});

test('external data outside the folder of the model is not opened', async () => {
  const secret = join(await newFolder(), 'secret.bin');
  await writeFile(secret, elements);
  for (const location of [secret, '../secret.bin', 'a/../../x', 'C:\\w.bin', '\\\\host\\w', '', 'a\0b']) {
    await assert.rejects(
      readModel(await save(linearWith({ location }))),
      refusal(/inside the model's folder/),
    );
  }
  const linked = await save(linearWith({ location: 'link.bin' }));
  await symlink(secret, join(linked, 'link.bin'));
  await assert.rejects(readModel(linked), refusal(/outside the model's folder/, /cp -L/));
  const linkedFolder = await save(linearWith({ location: 'sub/secret.bin' }));
  await symlink(join(secret, '..'), join(linkedFolder, 'sub'));
  await assert.rejects(readModel(linkedFolder), refusal(/outside the model's folder/));
});

test('external data that is no file is not opened', {
  skip: process.platform === 'win32' && 'Windows has no named pipes in folders',
  timeout: 10_000,
}, async () => {
  const path = await save(linearWith({ location: 'data' }));
  const refused = (pattern: RegExp) => assert.rejects(readModel(path), refusal(pattern));
  execFileSync('mkfifo', [join(path, 'data')]);
  await refused(/tensor 'w' lies in 'data', which is not a file$/);
  await rm(join(path, 'data'));
  await symlink('/dev/zero', join(path, 'data'));
  await refused(/'data', a link to \/dev\/zero outside the model's folder$/);
  await rm(join(path, 'data'));
  await symlink('data', join(path, 'data'));
  await refused(/lies in the file 'data': ELOOP/);
  await rm(join(path, 'data'));
  await mkdir(join(path, 'data'));
  await refused(/tensor 'w' lies in 'data', which is not a file$/);
});

test('a link to a file of the same folder is followed', async () => {
  const path = await save(linearWith({ location: 'link.bin' }), { 'w.bin': elements });
  await symlink('w.bin', join(path, 'link.bin'));
  assert.deepEqual(weight(await readModel(path)), [1, 2, 3, 4]);
});

test('external data that does not fit is refused before it is allocated', async () => {
  const bad = async (entries: Record<string, string>, pattern: RegExp) =>
    assert.rejects(
      readModel(await save(linearWith({ location: 'w.bin', ...entries }), { 'w.bin': elements })),
      refusal(pattern),
    );
  await bad({ offset: '8' }, /bytes 8 to 24, but that file has 16/);
  await bad({ length: '12' }, /needs 16 bytes.*has 12/);
  await bad({ offset: '-4' }, /offset '-4'/);
  await bad({ offset: '1e3' }, /offset '1e3'/);
  await bad({ length: '99999999999999999999' }, /length/);
  await bad({ location: 'other.bin' }, /'other\.bin', which is not in/);
  const huge = linearWith({ location: 'w.bin' });
  huge.graph!.initializer[0]!.dims = [2n ** 44n];
  await assert.rejects(readModel(await save(huge, { 'w.bin': elements })), refusal(/that file has 16/));
});

test('overlapping claims on one file are refused', async () => {
  const model = linearWith({ location: 'w.bin' });
  model.graph!.initializer = Array.from({ length: 4 }, (_, i) =>
    having(linearWith({ location: 'w.bin', offset: String(4 * i) }).graph!.initializer[0]!, {
      name: `w${i}`,
      dims: [1000n],
    }),
  );
  const path = await save(model, { 'w.bin': new Uint8Array(4096) });
  await assert.rejects(readModel(path), refusal(/regions overlap/));
});

test('a sparse file of the largest size is refused by its size', async () => {
  const file = join(await newFolder(), 'model.onnx');
  await writeFile(file, bytesOf(linear()));
  await truncate(file, 2 ** 31);
  await assert.rejects(readModel(file), refusal(/ends at 2 GB/, /external data/));
});

test('fields too many to parse in bounded memory are refused', () => {
  const empty = 3_000_000;
  const graph = new Uint8Array(2 * empty).fill(0);
  for (let i = 0; i < graph.length; i += 2) graph[i] = 0x0a; // GraphProto.node, of no bytes
  const header = [0x08, 8, 0x3a];
  for (let rest = graph.length; ; rest = Math.floor(rest / 128)) {
    header.push(rest > 127 ? (rest % 128) + 128 : rest);
    if (rest < 128) break;
  }
  const bytes = Buffer.concat([Uint8Array.from(header), graph]);
  assert.throws(() => parseModel(bytes, 'f'), refusal(/more than \d+ fields/));
});

test('graphs nested without end are refused', () => {
  // Attribute.g of a Node.attribute of a Graph.node, over and over.
  let bytes = new Uint8Array();
  for (let i = 0; i < 3000; i++) {
    bytes = Buffer.concat([Uint8Array.of([0x32, 0x2a, 0x0a][i % 3]!), varint(bytes.length), bytes]);
  }
  const model = Buffer.concat([Uint8Array.of(0x08, 8, 0x3a), varint(bytes.length), bytes]);
  assert.throws(() => parseModel(model, 'f'), refusal(/nested more than 100 deep/));
});

function varint(value: number): Uint8Array {
  const out: number[] = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) out.push((rest % 128) + 128);
  return Uint8Array.from([...out, rest]);
}

test('functions that stand for an endless graph are refused', () => {
  const functions = Array.from({ length: 40 }, (_, i) =>
    create(FunctionProtoSchema, {
      domain: 'local',
      name: `f${i}`,
      input: ['x'],
      output: ['y'],
      node: ['a', 'y'].map((output) => node(`f${i + 1}`, ['x'], [output], {}, { domain: 'local' })),
    }),
  );
  const model = buildModel({
    inputs: { x: float(1) },
    outputs: { y: undefined },
    nodes: [node('f0', ['x'], ['y'], {}, { domain: 'local' })],
    functions,
  });
  assert.throws(
    () => importGraph({ path: 'f', proto: model, external: new Map() }),
    refusal(/once its functions are inlined/),
  );
});

/** One of everything the reader looks at. */
function seed(): Uint8Array {
  const model = buildModel({
    opset: 12,
    domains: { local: 1, 'com.microsoft': 1 },
    inputs: { x: float('batch', 4, 2) },
    outputs: { y: float('batch', 4, 2), z: undefined },
    nodes: [
      node('Constant', [], ['c'], { value: float32Tensor([1, 2], [2]) }),
      node('Softmax', ['x'], ['s'], { axis: 1 }),
      node('Add', ['s', 'c'], ['a']),
      node('f', ['a'], ['b'], { alpha: { float: 0.5 } }, { domain: 'local' }),
      node('ReduceMean', ['b'], ['m'], { axes: [-1], keepdims: 1 }),
      node('Split', ['m'], ['p', 'q'], { axis: 1, split: [1, 3] }),
      node('FusedMatMul', ['b', 'w'], ['y'], { transB: 1 }, { domain: 'com.microsoft' }),
      node('Concat', ['p', 'q'], ['z'], { axis: 1 }),
    ],
    initializers: { w: float32Tensor([1, 2, 3, 4], [2, 2]) },
    functions: [
      create(FunctionProtoSchema, {
        domain: 'local',
        name: 'f',
        input: ['x'],
        output: ['y'],
        attribute: ['alpha'],
        node: [
          Object.assign(node('Elu', ['x'], ['y']), {
            attribute: [create(AttributeProtoSchema, { name: 'alpha', refAttrName: 'alpha', type: 1 })],
          }),
        ],
      }),
    ],
  });
  model.graph!.initializer.push(
    create(TensorProtoSchema, {
      name: 'i',
      dims: [3n],
      dataType: 7,
      int64Data: [Uint8Array.of(1, 0x96, 1, 3)],
    }),
  );
  return bytesOf(model);
}

test('damaged files end in an error of ours or in a graph, never in anything else', () => {
  const original = seed();
  const read = (bytes: Uint8Array): void => {
    try {
      serializeGraph(importGraph({ path: 'f', proto: parseModel(bytes, 'f'), external: new Map() }));
    } catch (error) {
      assert.ok(error instanceof SesdError, error instanceof Error ? error.stack : String(error));
    }
  };
  read(original);
  const flips = fc.array(fc.tuple(fc.nat(original.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(flips, fc.integer({ min: 0, max: original.length }), (changes, length) => {
      const bytes = original.slice();
      for (const [at, value] of changes) bytes[at] = value;
      read(bytes);
      read(bytes.subarray(0, length));
    }),
    { numRuns: 500 },
  );
  // Every single bit, too.
  for (let bit = 0; bit < original.length * 8; bit++) {
    const bytes = original.slice();
    bytes[bit >> 3]! ^= 1 << (bit & 7);
    read(bytes);
  }
});
