import type { Batch, Engine } from '../engine/engine.ts';
import { crossEntropy } from '../objective/cross-entropy.ts';
import { embeddedModel } from '../train/embedded-model.ts';
import type { OpenModelOptions } from '../train/model-provider.ts';
import { readModelFile } from '../train/open-model.ts';
import type { SelfTestFacts } from './report.ts';

const classes = 3;
export const labels = [0, 1, 2, 0];

/** What the step gives in PyTorch, in float64 (test/parity/self-test.test.ts). */
export const expected = { loss: 1.08527341, gradNorm: 2.54471049, lossAfter: 0.98194754 };
/** Relative. The instruction sets and stock operators are within 1e-7 of PyTorch. */
const tolerance = 1e-5;

/**
 * Trains the embedded model for one step (forward, backward, update) and looks at the loss before and after.
 * @param options `fuse` false computes the same with stock operators
 */
export async function selfTest(options: SelfTestOptions = {}): Promise<SelfTestFacts> {
  const started = performance.now();
  const engine = await openTestModel(options);
  try {
    const batch = testBatch();
    await forward(engine, batch); // makes the sessions of training
    const ready = performance.now();
    const { loss, dlogits } = await forward(engine, batch);
    await engine.backward(dlogits);
    const { gradNorm } = await engine.update({
      step: 1,
      learningRate: 1e-4,
      headLearningRate: 1e-3,
      weightDecay: 0.01,
      maxGradNorm: 1,
    });
    const done = performance.now();
    const { loss: lossAfter } = await forward(engine, batch);
    const found = { loss, gradNorm, lossAfter };
    return {
      ...found,
      expected,
      tolerance,
      passed: isNear(found),
      setUp: (ready - started) / 1000,
      step: (done - ready) / 1000,
    };
  } finally {
    engine.close();
  }
}

export type SelfTestOptions = Partial<Pick<OpenModelOptions, 'device' | 'fuse' | 'threads' | 'runtime'>>;

/** The embedded model with a classifier of three labels. */
export async function openTestModel(options: SelfTestOptions): Promise<Engine> {
  const file = await readModelFile(embeddedModel.folder);
  const { engine } = await file.open({
    ...{ classes, head: 'auto', dropout: 0, seed: 1, device: 'cpu', precision: 'fp32', fuse: true },
    ...options,
  });
  return engine;
}

function isNear(found: typeof expected): boolean {
  // What is not a number is near nothing.
  return (['loss', 'gradNorm', 'lossAfter'] as const).every(
    (name) => Math.abs(found[name] - expected[name]) <= tolerance * expected[name],
  );
}

async function forward(engine: Engine, batch: Batch): Promise<{ loss: number; dlogits: Float32Array }> {
  const logits = await engine.forward(batch, { dropoutKey: [1, 1] });
  const dlogits = new Float64Array(logits.data.length);
  const loss = crossEntropy()(logits.data, labels, classes, dlogits);
  return { loss, dlogits: Float32Array.from(dlogits) };
}

/** Rows of different lengths, in two segments each. */
export function testBatch(): Batch {
  const rows = labels.length;
  const length = 16;
  const size = rows * length;
  const row = (i: number) => Math.floor(i / length);
  const isToken = (i: number) => i % length < length - 3 * row(i);
  const values = (value: (i: number) => number) =>
    BigInt64Array.from({ length: size }, (_, i) => BigInt(isToken(i) ? value(i) : 0));
  return {
    rows,
    length,
    examples: rows,
    inputIds: values((i) => 5 + ((i * 7919) % 8000)),
    attentionMask: values(() => 1),
    tokenTypeIds: values((i) => (i % length < 4 ? 0 : 1)),
  };
}
