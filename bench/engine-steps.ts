import { resolveTrainOptions } from '../src/config/resolve.ts';
import type { Batch, Engine } from '../src/engine/engine.ts';
import { createStrategy } from '../src/strategy/index.ts';
import type { Strategy, StrategyContext } from '../src/strategy/strategy.ts';
import type { OpenedModel } from '../src/train/model-provider.ts';
import { readModelFile } from '../src/train/open-model.ts';

/** What is timed: forward and backward; a whole update; an update with a teacher one step behind. */
export type Step = 'gradients' | 'update' | 'sda';

const CLASSES = 3;

/** The engine's side of the benchmark: one model, steps as the trainer makes them. */
export class EngineSteps {
  readonly #model: OpenedModel;
  readonly #finetune: Strategy;
  readonly #sda: Strategy;
  #key = 0;
  /** Updates done, for AdamW's bias correction. */
  #updates = 0;
  /** Updates done under the sda strategy. */
  #taught = 0;

  private constructor(model: OpenedModel, finetune: Strategy, sda: Strategy) {
    this.#model = model;
    this.#finetune = finetune;
    this.#sda = sda;
  }

  static async open(path: string, options: { threads: number; dropout: number; fuse: boolean }) {
    const file = await readModelFile(path);
    const model = await file.open({
      ...options,
      classes: CLASSES,
      head: 'auto',
      seed: 1,
      device: 'cpu',
      precision: 'fp32',
    });
    return new EngineSteps(
      model,
      await createStrategy(contextOf(model.engine, 'finetune')),
      await createStrategy(contextOf(model.engine, 'sda')),
    );
  }

  /** One step on the batch; resolves to its milliseconds. */
  async measure(step: Step, batch: Batch): Promise<number> {
    const { engine } = this.#model;
    const strategy = step === 'sda' ? this.#sda : this.#finetune;
    const labels = Int32Array.from({ length: batch.rows }, (_, row) => row % CLASSES);

    const taught = step === 'sda' ? ++this.#taught : 1;
    await strategy.begin(taught);
    const started = performance.now();
    const teacherLogits = await strategy.teach(taught, batch);
    const logits = await engine.forward(batch, { dropoutKey: [1, this.#key++] });
    const { dlogits } = strategy.objective(taught)({
      logits: logits.data,
      ...(teacherLogits instanceof Float32Array && { teacherLogits }),
      labels,
      rows: batch.rows,
      classes: CLASSES,
    });
    await engine.backward(Float32Array.from(dlogits));
    const gradients = performance.now() - started;
    // What was gathered has to be used up, timed or not.
    await engine.update({
      step: ++this.#updates,
      learningRate: 1e-5,
      headLearningRate: 1e-3,
      weightDecay: 0.01,
      maxGradNorm: 1,
      ...(await strategy.averages(taught)),
    });
    strategy.updated();
    return step === 'gradients' ? gradients : performance.now() - started;
  }

  close(): void {
    this.#finetune.release();
    this.#sda.release();
    this.#model.engine.close();
  }
}

function contextOf(engine: Engine, strategy: 'finetune' | 'sda'): StrategyContext {
  return { engine, options: resolveTrainOptions({ strategy, window: 1 }), totalSteps: 1000, folder: '.' };
}

/** A batch without padding, of the tokens of BERT's vocabulary that are whole words. */
export function randomBatch(rows: number, length: number, vocabulary = 30000): Batch {
  const size = rows * length;
  const inputIds = BigInt64Array.from({ length: size }, (_, i) =>
    BigInt(1000 + ((i * 7919) % (vocabulary - 1000))),
  );
  return {
    rows,
    length,
    examples: rows,
    inputIds,
    attentionMask: new BigInt64Array(size).fill(1n),
    tokenTypeIds: new BigInt64Array(size),
  };
}
