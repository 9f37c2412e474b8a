import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import {
  AttributeProtoSchema,
  type ModelProto,
  ModelProtoSchema,
  NodeProtoSchema,
} from '../../src/onnx/generated/onnx_pb.ts';
import { embeddedModel } from '../../src/train/embedded-model.ts';
import { readModelFile } from '../../src/train/open-model.ts';

const folder = mkdtempSync(join(tmpdir(), 'sesd-digest-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const bytes = readFileSync(join(embeddedModel.folder, 'model.onnx'));

/** The digest of the embedded model after a change to its file. */
async function digestOf(change: (model: ModelProto) => void = () => {}): Promise<string> {
  const proto = fromBinary(ModelProtoSchema, Uint8Array.from(bytes));
  change(proto);
  const path = join(folder, 'model.onnx');
  writeFileSync(path, toBinary(ModelProtoSchema, proto));
  const model = await (await readModelFile(path)).open({
    ...{ classes: 3, head: 'auto', dropout: 0.1, seed: 1, fuse: true, device: 'cpu', precision: 'fp32' },
    freeze: 'embeddings',
  });
  try {
    return await model.digest();
  } finally {
    model.engine.close();
  }
}

/** AttributeProto.AttributeType. */
const TENSOR = 4;

/** Makes the first weight whose name has the part a Constant node's, as some exporters write all. */
const asConstant = (part: string) => (model: ModelProto) => {
  const { graph } = model;
  const at = graph!.initializer.findIndex(({ name }) => name.includes(part));
  const [tensor] = graph!.initializer.splice(at, 1);
  const value = create(AttributeProtoSchema, { name: 'value', type: TENSOR });
  value.t = tensor!;
  graph!.node.unshift(
    create(NodeProtoSchema, { opType: 'Constant', output: [tensor!.name], attribute: [value] }),
  );
};

/** Changes one bit of the first weight whose name has the part. */
const flip = (part: string) => (model: ModelProto) => {
  const tensor = model.graph!.initializer.find(({ name }) => name.includes(part))!;
  tensor.rawData[tensor.rawData.length - 4]! ^= 1;
};

test('the digest of a model is of its nodes and of the weights that are not trained', async () => {
  const digest = await digestOf();
  assert.equal(await digestOf(), digest);
  assert.equal(
    await digestOf(flip('layer.1.output.dense.weight')),
    digest,
    'a trained weight is in the checkpoint',
  );
  assert.notEqual(await digestOf(flip('word_embeddings')), digest, 'a frozen one');
  assert.notEqual(await digestOf(flip('sqrt_head_size')), digest, 'a constant');
  const epsilon = (model: ModelProto) => {
    const node = model.graph!.node.find(({ opType }) => opType === 'LayerNormalization')!;
    node.attribute.find(({ name }) => name === 'epsilon')!.f = 1e-3;
  };
  assert.notEqual(await digestOf(epsilon), digest, 'an attribute');
});

test('a weight in a Constant node counts as one among the initializers does', async () => {
  for (const [part, isTrained] of [
    ['layer.1.output.dense.weight', true],
    ['word_embeddings', false],
  ] as const) {
    const digest = await digestOf(asConstant(part));
    const flipped = await digestOf((model) => {
      flip(part)(model);
      asConstant(part)(model);
    });
    assert.equal(flipped === digest, isTrained, part);
  }
});
