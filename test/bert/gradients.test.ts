import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BertOptions } from '../../src/bert/prepare.ts';
import { graphRunner } from '../../src/engine/backends/graph-runner.ts';
import {
  collectGradients,
  crossEntropyGradients,
  reference,
  relativeError,
  type TinyFile,
  tinyBatch,
  tinyEngine,
  torchGradients,
} from './tiny-bert.ts';

const files: TinyFile[] = ['model.onnx', 'model-dynamo.onnx'];

const forms: [string, Partial<BertOptions>][] = [
  ['packed', { probe: graphRunner({ threads: 2 }) }],
  ['fused', {}],
  ['stock ops', { fuse: false }],
];

for (const file of files) {
  for (const [form, options] of forms) {
    test(`${file}, ${form}: logits, loss and every gradient equal PyTorch's`, async (t) => {
      const engine = await tinyEngine(options, file);
      t.after(() => engine.close());
      const actual = await crossEntropyGradients(engine);
      const expected = torchGradients(file);
      assert.deepEqual([...actual.keys()].sort(), [...expected.keys()].sort());
      const largest = Math.max(...[...expected.values()].map((values) => Math.max(...values.map(Math.abs))));
      for (const [name, values] of expected) {
        // softmax does not see a constant added to its row: the key bias's gradient is rounding error alone
        const zero = Math.max(...values.map(Math.abs)) < 1e-7 * largest;
        const found = actual.get(name)!;
        if (zero)
          assert.ok(Math.max(...found.map(Math.abs)) < 1e-6 * largest, `${name}: expected about zero`);
        else assert.ok(relativeError(found, values) < 1e-4, `${name}: ${relativeError(found, values)}`);
      }
    });
  }
}

test('with dropout, the fused graph gives the logits and gradients of the stock one', async (t) => {
  const engines = [await tinyEngine({ dropout: 0.3 }), await tinyEngine({ dropout: 0.3, fuse: false })];
  t.after(() => {
    for (const engine of engines) engine.close();
  });
  const [fused, stock] = await Promise.all(
    engines.map(async (engine) => {
      const logits = await engine.forward(tinyBatch(), { dropoutKey: [0x9e3779b9, 0xffffffff] });
      await engine.backward(new Float32Array(12).map((_, index) => Math.sin(index)));
      return { logits: logits.data, gradients: await collectGradients(engine) };
    }),
  );
  assert.ok(relativeError(fused!.logits, stock!.logits) < 1e-5);
  const largest = Math.max(
    ...[...stock!.gradients.values()].map((values) => Math.max(...values.map(Math.abs))),
  );
  for (const [name, values] of stock!.gradients) {
    const difference = fused!.gradients.get(name)!.map((value, index) => Math.abs(value - values[index]!));
    assert.ok(Math.max(...difference) < 1e-6 * largest, name);
  }
});

test('dropout changes the student from key to key and never the inference graph', async (t) => {
  const engine = await tinyEngine({ dropout: 0.3 });
  t.after(() => engine.close());
  const logits = async (key: [number, number]) => [
    ...(await engine.forward(tinyBatch(), { dropoutKey: key })).data,
  ];
  const first = await logits([1, 2]);
  assert.deepEqual(await logits([1, 2]), first);
  assert.notDeepEqual(await logits([1, 3]), first);
  const { data } = await engine.infer(engine.student, tinyBatch());
  assert.ok(relativeError(data, reference.logits.data) < 1e-5);
});

test('gradients of micro-batches add up, and an update empties them', async (t) => {
  const engine = await tinyEngine();
  t.after(() => engine.close());
  const dlogits = new Float32Array(12).map((_, index) => Math.cos(index));
  const run = async () => {
    await engine.forward(tinyBatch(), { dropoutKey: [0, 0] });
    await engine.backward(dlogits);
  };
  await run();
  const once = await collectGradients(engine);
  await run();
  const twice = await collectGradients(engine);
  for (const [name, values] of once) {
    assert.ok(
      twice.get(name)!.every((value, index) => value === 2 * values[index]!),
      name,
    );
  }
  // a rate of zero leaves the weights, so the next gradient is the first again
  await engine.update({ step: 1, learningRate: 0, headLearningRate: 0, weightDecay: 0, maxGradNorm: 1 });
  await run();
  assert.deepEqual(await collectGradients(engine), once);
});
