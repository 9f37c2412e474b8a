import { readModelFile } from '../../../src/train/open-model.ts';
import type { Target } from '../target.ts';
import { mutations } from './onnx.ts';
import { onnxSeeds } from './onnx-seeds.ts';

const ROWS = 2;
const LENGTH = 4;
const CLASSES = 3;

/** Small models as in `onnx`, changed less; those that can be prepared go through ONNX Runtime and take a step. */
export const native: Target = {
  name: 'native',
  cases: 2800,
  load: async () => mutations(onnxSeeds()),
  run: train,
};

/** One step of training: inference, forward, backward, update. */
export async function train(folder: string): Promise<void> {
  const file = await readModelFile(folder);
  const { engine } = await file.open({
    ...{
      classes: CLASSES,
      head: 'auto',
      dropout: 0.1,
      fuse: true,
      seed: 1,
      device: 'cpu',
      precision: 'fp32',
    },
    threads: 1,
  });
  try {
    const ids = BigInt64Array.from({ length: ROWS * LENGTH }, (_, index) => BigInt(index));
    const batch = {
      ...{ rows: engine.fixed.rows ?? ROWS, length: engine.fixed.length ?? LENGTH, examples: ROWS },
      ...{ inputIds: ids, attentionMask: ids.map(() => 1n), tokenTypeIds: ids.map(() => 0n) },
    };
    if (batch.rows !== ROWS || batch.length !== LENGTH) return; // the batch is cut for others
    await engine.infer(engine.student, batch);
    const logits = await engine.forward(batch, { dropoutKey: [1, 2] });
    await engine.backward(logits.data.map(() => 0.1));
    await engine.update({
      ...{ step: 1, learningRate: 1e-3, headLearningRate: 1e-3, weightDecay: 0.01, maxGradNorm: 1 },
    });
    await engine.infer(engine.student, batch);
  } finally {
    engine.close();
  }
}
