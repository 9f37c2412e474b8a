import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fromBinary } from '@bufbuild/protobuf';
import { createEngine } from '../../src/engine/backends/onnx-runtime.ts';
import { createTrainingEngine } from '../../src/engine/backends/ort-training.ts';
import { optimizerModel, splitModels } from '../../src/engine/backends/ort-training-models.ts';
import { TEACHER, wholeStepModels } from '../../src/engine/backends/ort-whole-step-models.ts';
import type { Weights } from '../../src/engine/engine.ts';
import type { TrainingPlan } from '../../src/engine/plan.ts';
import { importGraph } from '../../src/graph/import.ts';
import { inferGraph } from '../../src/graph/infer/infer.ts';
import { checkCuda } from '../../src/graph/opset/check-cuda.ts';
import { ModelProtoSchema } from '../../src/onnx/generated/onnx_pb.ts';
import { prepareTiny } from '../bert/tiny-bert.ts';
import { placedOnHost } from '../graph/placed-on-host.ts';
import { roundingProducts } from './device/half-products.ts';
import { assertAlike, splitPass, trajectory, wholePass } from './distillation-steps.ts';
import { closing, ratesOfSession } from './training-engines.ts';
import { findTrainingLibrary } from './training-library.ts';

// What is generated for a GPU, held against the table of CUDA's kernels and run on the CPU's provider.

const files = ['model.onnx', 'model-dynamo.onnx'] as const;
const search = findTrainingLibrary();
const library = search.library ?? '';

/**
 * Operators of the training API with a CUDA kernel for float32: KernelDefBuilder in gradient_control.cc, adamw/adamw.cc and
 * sgd/sgd.cc of orttraining/orttraining/training_ops/cuda/optimizer; cuda/real-libraries.test.ts finds them in a library.
 */
const trainingKernels = ['InPlaceAccumulatorV2', 'AdamWOptimizer', 'SGDOptimizerV2'];

const decode = (bytes: Uint8Array) => fromBinary(ModelProtoSchema, bytes).graph!;

/** Holds a model to the kernels there are: none would be placed on the CPU. */
function checkModel(bytes: Uint8Array): void {
  assert.deepEqual(placedOnHost(bytes), []);
  const proto = fromBinary(ModelProtoSchema, bytes);
  const graph = proto.graph!;
  const types = new Map(graph.input.map((each) => [each.name, each]));
  // An accumulator's buffer, gradient and sum have one type: the rest of the graph ends at the one and begins with the other.
  const own = graph.node.filter(({ domain }) => domain === 'com.microsoft');
  for (const { opType, input, output } of own) {
    assert.ok(trainingKernels.includes(opType), opType);
    const type = types.get(input[0]!)!;
    graph.output = graph.output.filter(({ name }) => !output.includes(name));
    graph.output.push({ ...type, name: input[1]! });
    if (output[1]) graph.input.push({ ...type, name: output[1] });
  }
  graph.node = graph.node.filter((node) => !own.includes(node));
  const imported = importGraph({ path: 'model.onnx', proto, external: new Map() });
  inferGraph(imported);
  checkCuda(imported);
  for (const { outputs } of imported.nodes)
    for (const output of outputs)
      assert.ok(output === '' || imported.types.get(output), `${output} has no type`);
}

describe('models of a training session for a GPU', () => {
  const out = { gradients: true, norm: true };
  for (const file of files) {
    for (const precision of ['fp32', 'bf16'] as const) {
      test(`every node of ${file} in ${precision} has a CUDA kernel, and every parameter a node that reads it`, async () => {
        const options = {
          fuse: false,
          device: 'cuda',
          dropout: 0.1,
          freeze: 'layer\\.1\\.',
          precision,
        } as const;
        const { plan } = await prepareTiny(options, file);
        const names = [...plan.parameters, ...plan.frozen].map(({ name }) => name);
        const teachers = plan.parameters.map(({ name }) => TEACHER + name);
        for (const [models, all] of [
          [splitModels(plan, out), names],
          [wholeStepModels(plan, false, out), names],
          [wholeStepModels(plan, true, out), [...names, ...teachers]],
        ] as const) {
          checkModel(models.train);
          if (models.eval) checkModel(models.eval);
          const read = new Set(decode(models.train).node.flatMap(({ input }) => input));
          assert.deepEqual(
            all.filter((name) => !read.has(name)),
            [],
          );
        }
      });
    }
  }

  test("the optimizer's", () => {
    for (const group of [undefined, { weightDecay: 0 }]) {
      const [node, ...others] = decode(optimizerModel(group)).node;
      assert.ok(trainingKernels.includes(node!.opType));
      assert.deepEqual(others, []);
    }
  });
});

describe('a session for a GPU, on the CPU', { skip: search.missing ?? false }, () => {
  const average = (into: Weights) => ({ after: [{ kind: 'blend' as const, into, weight: 0.3 }] });
  const runtime = { threads: 2, library };
  const graphs = { fuse: false, device: 'cuda' } as const;
  const optimizers = {
    session: ratesOfSession,
    own: { ...ratesOfSession, weightDecay: 0.1, maxGradNorm: 0.5 },
  };

  for (const file of files) {
    for (const [optimizer, rates] of Object.entries(optimizers)) {
      test(`${file}, ${optimizer} optimizer: both forms train as the default engine does`, async (t) => {
        const options = { dropout: 0.2, freeze: 'layer\\.1\\.' };
        const usual = (await prepareTiny(options, file)).plan;
        const { plan } = await prepareTiny({ ...options, ...graphs }, file);
        const [expected, split, whole] = closing(t, [
          await createEngine(usual, runtime),
          await createTrainingEngine(plan, { ...runtime, rates }),
          await createTrainingEngine(plan, { ...runtime, rates, wholeStep: { teaches: true } }),
        ] as const);
        const wanted = await trajectory(expected, splitPass, rates, average);
        assertAlike(await trajectory(split, splitPass, rates, average), wanted);
        assertAlike(await trajectory(whole, wholePass, rates, average), wanted);
      });
    }
  }

  test('products in bfloat16: both forms are one', async (t) => {
    const prepared = await prepareTiny({ ...graphs, dropout: 0.2, precision: 'bf16' });
    const plan: TrainingPlan = roundingProducts(prepared.plan);
    const [split, whole] = closing(t, [
      await createTrainingEngine(plan, { ...runtime, rates: ratesOfSession }),
      await createTrainingEngine(plan, { ...runtime, rates: ratesOfSession, wholeStep: { teaches: true } }),
    ] as const);
    const wanted = await trajectory(split, splitPass, ratesOfSession, average);
    assertAlike(await trajectory(whole, wholePass, ratesOfSession, average), wanted);
  });
});
