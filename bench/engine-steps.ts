import { resolveTrainOptions } from '../src/config/resolve.ts';
import type { TrainOptionsInput } from '../src/config/train-options.ts';
import type { Batch } from '../src/engine/engine.ts';
import { createStrategy } from '../src/strategy/index.ts';
import type { Strategy } from '../src/strategy/strategy.ts';
import type { OpenedModel, OpenModelOptions } from '../src/train/model-provider.ts';
import { readModelFile } from '../src/train/open-model.ts';

/** A method of training by the flags that ask for it. */
export type Method = Pick<TrainOptionsInput, 'strategy' | 'window'>;

export const finetune: Method = { strategy: 'finetune' };
/** A teacher one step behind. */
export const sda: Method = { strategy: 'sda', window: 1 };

const CLASSES = 3;

/** A strategy and the updates it has seen. */
interface Running {
  strategy: Strategy;
  steps: number;
}

/** The engine's side of the benchmark: one model, steps as the trainer makes them, by any number of methods in turn. */
export class EngineSteps {
  readonly #model: OpenedModel;
  readonly #running = new Map<Method, Running>();
  /** Updates done, for AdamW's bias correction. */
  #updates = 0;
  #ensembleBytes = 0;

  private constructor(model: OpenedModel) {
    this.#model = model;
    const { engine } = model;
    const create = engine.createWeights.bind(engine);
    engine.createWeights = (storage = 'memory') => {
      this.#ensembleBytes += this.parameters * (storage === 'bf16' ? 2 : 4);
      return create(storage);
    };
  }

  static async open(
    path: string,
    options: Pick<OpenModelOptions, 'threads' | 'dropout' | 'fuse' | 'precision'>,
  ) {
    const file = await readModelFile(path);
    const model = await file.open({
      ...options,
      classes: CLASSES,
      head: 'auto',
      seed: 1,
      device: 'cpu',
    });
    return new EngineSteps(model);
  }

  /** Weights the model has. */
  get parameters(): number {
    return this.#model.engine.parameters.reduce((sum, { size }) => sum + size, 0);
  }

  /** Bytes of all sets of weights beside the student's, its gradients' and its moments'. */
  get ensembleBytes(): number {
    return this.#ensembleBytes;
  }

  /** One update by the method on the batch; resolves to the milliseconds it took, and those of its gradients alone. */
  async measure(method: Method, batch: Batch): Promise<{ update: number; gradients: number }> {
    const { engine } = this.#model;
    const running = await this.#start(method);
    const { strategy } = running;
    const step = running.steps + 1;
    const drawn = repeated(batch, strategy.draws(step));
    const labels = Int32Array.from({ length: drawn.rows }, (_, row) => (row % batch.rows) % CLASSES);

    const started = performance.now();
    await strategy.begin(step);
    const teacherLogits = await strategy.teach(step, drawn);
    const logits = await engine.forward(drawn, { dropoutKey: [1, this.#updates] });
    const { dlogits } = strategy.objective(step)({
      logits: logits.data,
      ...(teacherLogits instanceof Float32Array && { teacherLogits }),
      labels,
      rows: drawn.rows,
      classes: CLASSES,
    });
    await engine.backward(Float32Array.from(dlogits));
    const gradients = performance.now() - started;
    await engine.update({
      step: ++this.#updates,
      learningRate: 1e-5,
      headLearningRate: 1e-3,
      weightDecay: 0.01,
      maxGradNorm: 1,
      ...(await strategy.averages(step)),
    });
    strategy.updated();
    running.steps = step;
    return { update: performance.now() - started, gradients };
  }

  async #start(method: Method): Promise<Running> {
    let running = this.#running.get(method);
    if (running === undefined) {
      const options = resolveTrainOptions(method);
      const { engine } = this.#model;
      const strategy = await createStrategy({ engine, options, totalSteps: 1000, folder: '.' });
      running = { strategy, steps: 0 };
      this.#running.set(method, running);
    }
    return running;
  }

  close(): void {
    for (const { strategy } of this.#running.values()) strategy.release();
    this.#model.engine.close();
  }
}

/** The batch's rows, so many times over. */
function repeated(batch: Batch, times: number): Batch {
  if (times === 1) return batch;
  const all = (values: BigInt64Array) =>
    BigInt64Array.from({ length: times * values.length }, (_, i) => values[i % values.length]!);
  return {
    rows: times * batch.rows,
    length: batch.length,
    examples: times * batch.examples,
    inputIds: all(batch.inputIds),
    attentionMask: all(batch.attentionMask),
    tokenTypeIds: all(batch.tokenTypeIds),
  };
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
