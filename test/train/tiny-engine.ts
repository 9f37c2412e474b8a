import type {
  Averaging,
  Batch,
  Engine,
  ForwardOptions,
  Logits,
  NamedArray,
  Parameter,
  UpdateOptions,
  WeightStorage,
  Weights,
} from '../../src/engine/engine.ts';
import { SesdError } from '../../src/errors.ts';

export const vocabulary = 11;
export const width = 4;
export const classes = 3;

/**
 * A small model computed in plain TypeScript, with exact gradients: logits = dropout(mean of the tokens'
 * embeddings)·W + b. Weights are float32, as in a real engine; sums are float64.
 */
export class TinyEngine implements Engine {
  readonly parameters: readonly Parameter[] = [
    {
      name: 'embedding',
      dims: [vocabulary, width],
      size: vocabulary * width,
      decay: true,
      group: 'body',
      learningRateScale: 1,
    },
    {
      name: 'classifier.weight',
      dims: [width, classes],
      size: width * classes,
      decay: true,
      group: 'head',
      learningRateScale: 1,
    },
    {
      name: 'classifier.bias',
      dims: [classes],
      size: classes,
      decay: false,
      group: 'head',
      learningRateScale: 1,
    },
  ];
  readonly classes = classes;
  readonly maxPositions = undefined;
  readonly fixed: { rows?: number; length?: number };
  readonly student: TinyWeights;
  readonly #m: TinyWeights;
  readonly #v: TinyWeights;
  readonly #gradients: Float64Array[];
  readonly #dropout: number;
  /** What the tests look at. */
  readonly log = { forwardRows: [] as number[], infers: 0, liveSets: 0, dropoutKeys: [] as string[] };
  /** Called before each forward pass with the number of updates done. */
  onForward: ((updates: number) => void) | undefined;
  /** Called before each inference with the number of updates done. */
  onInfer: ((updates: number) => void) | undefined;
  #updates = 0;
  #stash: { batch: Batch; pooled: Float64Array[]; kept: number[][] } | undefined;

  constructor(options: { dropout?: number; fixed?: { rows?: number; length?: number } } = {}) {
    this.#dropout = options.dropout ?? 0;
    this.fixed = options.fixed ?? {};
    const sizes = this.parameters.map(({ size }) => size);
    this.student = new TinyWeights(
      this,
      sizes.map((size, p) => Float32Array.from({ length: size }, (_, i) => Math.sin(1 + 3 * i + 7 * p) / 2)),
    );
    const zeros = () =>
      new TinyWeights(
        this,
        sizes.map((size) => new Float32Array(size)),
      );
    this.#m = zeros();
    this.#v = zeros();
    this.#gradients = sizes.map((size) => new Float64Array(size));
  }

  async createWeights(storage: WeightStorage = 'memory'): Promise<Weights> {
    this.log.liveSets++;
    const rounded = storage === 'bf16';
    return new TinyWeights(
      this,
      this.student.arrays.map((array) => (rounded ? array.map(toBf16) : array.slice())),
      rounded,
    );
  }

  async mean(into: Weights, sources: readonly Weights[]): Promise<void> {
    const all = sources.map((source) => (source as TinyWeights).arrays);
    const means = this.parameters.map(({ size }, p) =>
      Float32Array.from(
        { length: size },
        (_, i) => all.reduce((sum, arrays) => sum + arrays[p]![i]!, 0) / all.length,
      ),
    );
    (into as TinyWeights).set(means);
  }

  async average(weights: Weights, averages: readonly Averaging[]): Promise<void> {
    const x = weights as TinyWeights;
    for (const each of averages) {
      const into = each.into as TinyWeights;
      switch (each.kind) {
        case 'copy':
          into.set(x.arrays);
          break;
        case 'blend':
          into.set(
            into.arrays.map((array, p) =>
              array.map((old, i) => old + each.weight * (x.arrays[p]![i]! - old)),
            ),
          );
          break;
        case 'running-mean': {
          const residual = each.residual as TinyWeights;
          const exact = into.arrays.map((array, p) =>
            Float64Array.from(array, (old, i) => {
              const mean = old + residual.arrays[p]![i]!;
              return mean + (x.arrays[p]![i]! - mean) / each.count;
            }),
          );
          into.set(exact.map((array) => Float32Array.from(array)));
          residual.set(
            exact.map((array, p) => Float32Array.from(array, (value, i) => value - into.arrays[p]![i]!)),
          );
          break;
        }
        case 'mean':
          await this.mean(into, [...each.others, x]);
      }
    }
  }

  async forward(batch: Batch, { dropoutKey, signal }: ForwardOptions): Promise<Logits> {
    this.onForward?.(this.#updates);
    if (signal?.aborted) throw new SesdError('SESD_ABORTED', 'The run was cancelled.');
    this.log.forwardRows.push(batch.rows);
    this.log.dropoutKeys.push(dropoutKey.join());
    const kept = Array.from({ length: batch.rows }, (_, row) =>
      Array.from({ length: width }, (_, j) => {
        const draw =
          Math.imul(dropoutKey[0] ^ Math.imul(dropoutKey[1], 31 + row * width + j), 0x9e3779b1) >>> 0;
        return draw / 2 ** 32 < this.#dropout ? 0 : 1 / (1 - this.#dropout);
      }),
    );
    const { data, pooled } = compute(this.student.arrays, batch, kept);
    this.#stash = { batch, pooled, kept };
    return { data, rows: batch.rows, classes };
  }

  async backward(dlogits: Float32Array): Promise<void> {
    const { batch, pooled, kept } = this.#stash!;
    const [dEmbedding, dWeight, dBias] = this.#gradients as [Float64Array, Float64Array, Float64Array];
    const weight = this.student.arrays[1]!;
    for (let row = 0; row < batch.rows; row++) {
      const tokens = tokensOf(batch, row);
      for (let c = 0; c < classes; c++) dBias[c]! += dlogits[row * classes + c]!;
      for (let j = 0; j < width; j++) {
        let d = 0;
        for (let c = 0; c < classes; c++) {
          const dz = dlogits[row * classes + c]!;
          dWeight[j * classes + c]! += pooled[row]![j]! * dz;
          d += weight[j * classes + c]! * dz;
        }
        for (const token of tokens) dEmbedding[token * width + j]! += (d * kept[row]![j]!) / tokens.length;
      }
    }
  }

  async update(options: UpdateOptions): Promise<{ gradNorm: number }> {
    const gradNorm = Math.sqrt(this.#gradients.reduce((sum, g) => g.reduce((s, x) => s + x * x, sum), 0));
    if (Number.isFinite(gradNorm)) {
      await this.average(this.student, options.before ?? []);
      const clip = gradNorm > options.maxGradNorm ? options.maxGradNorm / (gradNorm + 1e-6) : 1;
      this.parameters.forEach(({ decay, group }, p) => {
        const rate = group === 'head' ? options.headLearningRate : options.learningRate;
        const weights = this.student.arrays[p]!;
        const [m, v] = [this.#m.arrays[p]!, this.#v.arrays[p]!];
        this.#gradients[p]!.forEach((gradient, i) => {
          const g = gradient * clip;
          m[i] = 0.9 * m[i]! + 0.1 * g;
          v[i] = 0.999 * v[i]! + 0.001 * g * g;
          const mHat = m[i]! / (1 - 0.9 ** options.step);
          const vHat = v[i]! / (1 - 0.999 ** options.step);
          const decayed = weights[i]! * (1 - rate * (decay ? options.weightDecay : 0));
          weights[i] = decayed - (rate * mHat) / (Math.sqrt(vHat) + 1e-8);
        });
      });
      await this.average(this.student, options.after ?? []);
      this.#updates++;
    }
    for (const gradient of this.#gradients) gradient.fill(0);
    return { gradNorm };
  }

  async infer(weights: Weights, batch: Batch, signal?: AbortSignal): Promise<Logits> {
    this.onInfer?.(this.#updates);
    if (signal?.aborted) throw new SesdError('SESD_ABORTED', 'The run was cancelled.');
    this.log.infers++;
    const { data } = compute((weights as TinyWeights).arrays, batch);
    return { data, rows: batch.rows, classes };
  }

  readMoments(which: 'm' | 'v'): AsyncIterable<NamedArray> {
    return (which === 'm' ? this.#m : this.#v).read();
  }

  writeMoments(which: 'm' | 'v', values: AsyncIterable<NamedArray>): Promise<void> {
    return (which === 'm' ? this.#m : this.#v).write(values);
  }

  close(): void {}
}

class TinyWeights implements Weights {
  readonly arrays: Float32Array[];
  readonly #engine: TinyEngine;

  readonly #rounded: boolean;

  constructor(engine: TinyEngine, arrays: Float32Array[], rounded = false) {
    this.#engine = engine;
    this.arrays = arrays;
    this.#rounded = rounded;
  }

  set(arrays: readonly Float32Array[]): void {
    for (const [p, array] of arrays.entries()) this.arrays[p]!.set(this.#rounded ? array.map(toBf16) : array);
  }

  async copyFrom(source: Weights): Promise<void> {
    this.set((source as TinyWeights).arrays);
  }

  async *read(): AsyncGenerator<NamedArray> {
    for (const [p, { name }] of this.#engine.parameters.entries())
      yield { name, data: this.arrays[p]!.slice() };
  }

  async write(values: AsyncIterable<NamedArray>): Promise<void> {
    for await (const { name, data } of values)
      this.arrays[this.#engine.parameters.findIndex((parameter) => parameter.name === name)]!.set(data);
  }

  release(): void {
    this.#engine.log.liveSets--;
  }
}

/** To the nearest number of 8 significant bits, ties to even. */
function toBf16(value: number): number {
  const [bits] = new Uint32Array(Float32Array.of(value).buffer);
  const upper = (bits! + 0x7fff + ((bits! >>> 16) & 1)) >>> 16;
  return new Float32Array(Uint32Array.of(upper << 16).buffer)[0]!;
}

function tokensOf(batch: Batch, row: number): number[] {
  const tokens: number[] = [];
  for (let i = row * batch.length; i < (row + 1) * batch.length; i++)
    if (batch.attentionMask[i] === 1n) tokens.push(Number(batch.inputIds[i]));
  return tokens;
}

function compute(arrays: readonly Float32Array[], batch: Batch, kept?: number[][]) {
  const [embedding, weight, bias] = arrays as [Float32Array, Float32Array, Float32Array];
  const data = new Float32Array(batch.rows * classes);
  const pooled = Array.from({ length: batch.rows }, (_, row) => {
    const tokens = tokensOf(batch, row);
    const mean = Float64Array.from({ length: width }, (_, j) => {
      const sum = tokens.reduce((total, token) => total + embedding[token * width + j]!, 0);
      return (sum / tokens.length) * (kept?.[row]?.[j] ?? 1);
    });
    for (let c = 0; c < classes; c++)
      data[row * classes + c] = mean.reduce((sum, x, j) => sum + x * weight[j * classes + c]!, bias[c]!);
    return mean;
  });
  return { data, pooled };
}

/** The numbers of a set of weights, one after the other. */
export async function flatten(values: AsyncIterable<NamedArray>): Promise<number[]> {
  const all: number[] = [];
  for await (const { data } of values) all.push(...data);
  return all;
}
