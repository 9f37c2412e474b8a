import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromBinary } from '@bufbuild/protobuf';
import type { Weights } from '../../src/engine/engine.ts';
import type { PlannedGraph } from '../../src/engine/plan.ts';
import type { SesdError } from '../../src/errors.ts';
import { ModelProtoSchema } from '../../src/onnx/generated/onnx_pb.ts';
import {
  crossEntropyGradients,
  prepareTiny,
  relativeError,
  type TinyFile,
  tinyBatch,
  tinyEngine,
  torchGradients,
} from './tiny-bert.ts';

const files: TinyFile[] = ['model.onnx', 'model-dynamo.onnx'];
const lower = '^embeddings|^layer\\.0\\.';

/** How often each op occurs in a graph of a plan. */
function opsOf({ model }: PlannedGraph): Record<string, number> {
  const ops: Record<string, number> = {};
  for (const { opType } of fromBinary(ModelProtoSchema, model).graph!.node)
    ops[opType] = (ops[opType] ?? 0) + 1;
  return ops;
}

for (const file of files) {
  for (const fuse of [true, false]) {
    const frozen = { below: lower, between: 'layer\\.1\\.', above: '^(pooler|classifier)' };
    for (const [where, freeze] of Object.entries(frozen)) {
      test(`${file}, ${fuse ? 'fused' : 'stock ops'}: gradients of what is not frozen ${where} equal PyTorch's`, async (t) => {
        const engine = await tinyEngine({ fuse, freeze }, file);
        t.after(() => engine.close());
        const actual = await crossEntropyGradients(engine);
        const expected = torchGradients(file);
        assert.ok(actual.size > 0 && actual.size < expected.size);
        const largest = Math.max(
          ...[...expected.values()].map((values) => Math.max(...values.map(Math.abs))),
        );
        for (const [name, found] of actual) {
          const difference = found.map((value, index) => Math.abs(value - expected.get(name)![index]!));
          const scale = Math.max(1e-2 * largest, ...expected.get(name)!.map(Math.abs));
          assert.ok(Math.max(...difference) < 1e-4 * scale, name);
        }
      });
    }
  }

  test(`${file}: what lies below the lowest trained weight has no part in the backward pass`, async () => {
    const { plan: whole } = await prepareTiny({}, file);
    const { plan, places } = await prepareTiny({ freeze: lower }, file);
    const isFrozen = (name: string) => {
      const place = places.of.get(name)!;
      return place.kind === 'embeddings' || (place.kind === 'layer' && place.lowest === 0);
    };
    assert.deepEqual(
      plan.frozen.map(({ name }) => name),
      whole.parameters.map(({ name }) => name).filter(isFrozen),
    );
    assert.equal(plan.parameters.length + plan.frozen.length, whole.parameters.length);
    // A linear layer has two products backward: 6 in each of two layers, pooler and classifier.
    const { Gemm, AttentionGrad, EmbeddingGrad } = opsOf(whole.backward);
    assert.deepEqual(
      { Gemm, AttentionGrad, EmbeddingGrad },
      { Gemm: 28, AttentionGrad: 2, EmbeddingGrad: 3 },
    );
    const ops = opsOf(plan.backward);
    // The lowest products that are trained have no gradient to hand on: those of query, key and value.
    assert.deepEqual([ops.Gemm, ops.AttentionGrad, ops.EmbeddingGrad], [16 - 3, 1, undefined]);
    assert.equal(plan.forward.stash.length, whole.forward.stash.length / 2);
    assert.deepEqual(opsOf(plan.forward), opsOf(whole.forward));
    const { plan: probe } = await prepareTiny({ freeze: '^(embeddings|layer|pooler)' }, file);
    assert.deepEqual(opsOf(probe.backward), { Gemm: 1, ReduceSum: 1, Identity: 2 });
  });
}

test('updates and averages leave frozen weights as they are', async (t) => {
  const engine = await tinyEngine({ freeze: lower });
  t.after(() => engine.close());
  const trained = new Set(engine.parameters.map(({ name }) => name));
  for await (const { name } of engine.student.read()) assert.ok(trained.delete(name));
  assert.equal(trained.size, 0);

  const teacher = await engine.createWeights();
  const before = await engine.infer(teacher, tinyBatch());
  await crossEntropyGradients(engine);
  const rates = { learningRate: 1e-2, headLearningRate: 1e-2, weightDecay: 0.1, maxGradNorm: 1 };
  await engine.update({ step: 1, ...rates, after: [{ kind: 'blend', into: teacher, weight: 0.5 }] });
  const after = await engine.infer(teacher, tinyBatch());
  assert.notDeepEqual(after.data, before.data);

  // What was trained, moved into an engine of the whole model, gives the same.
  const whole = await tinyEngine();
  t.after(() => whole.close());
  await whole.student.write(overlaid(await valuesOf(whole.student), await valuesOf(teacher)));
  const expected = await whole.infer(whole.student, tinyBatch());
  assert.ok(relativeError(after.data, expected.data) < 1e-6);
});

async function valuesOf(weights: Weights): Promise<Map<string, Float32Array>> {
  const values = new Map<string, Float32Array>();
  for await (const { name, data } of weights.read()) values.set(name, data);
  return values;
}

async function* overlaid(below: Map<string, Float32Array>, above: Map<string, Float32Array>) {
  for (const [name, data] of below) yield { name, data: above.get(name) ?? data };
}

test('a pattern finds a weight by its name in the file or by its place, and nothing else', async () => {
  const frozenBy = async (freeze: string) =>
    (await prepareTiny({ freeze })).plan.frozen.map(({ name }) => name).sort();
  assert.deepEqual(await frozenBy('MatMul_370$'), ['onnx::MatMul_370']);
  assert.deepEqual(await frozenBy('^layer\\.0\\.onnx::MatMul_370$'), ['onnx::MatMul_370']);
  assert.deepEqual(await frozenBy('^bert\\.pooler'), ['bert.pooler.dense.bias', 'bert.pooler.dense.weight']);
  assert.equal((await frozenBy('^layer\\.1')).length, 16);
});

test('a pattern that finds nothing, or everything, is refused with names it could find', async () => {
  const wrong = [
    [{ freeze: 'encoder.layers' }, /--freeze encoder\.layers matches none of the 41 weights/],
    [{ freeze: '' }, /--freeze {2}leaves nothing to train: it matches all 41 weights/],
  ] as const;
  for (const [options, message] of wrong) {
    await assert.rejects(prepareTiny(options), (error: SesdError) => {
      assert.equal(error.code, 'SESD_USAGE');
      assert.match(error.message, message);
      assert.match(error.hint!, /embeddings\.bert\S+, layer\.0\.bert\S+, pooler\.\S+, classifier\.\S+; /);
      return true;
    });
  }
});
