import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { resolveTrainOptions } from '../../src/config/resolve.ts';
import type { EncodedExample } from '../../src/data/example.ts';
import { LabelMap } from '../../src/data/labels.ts';
import { readExamples } from '../../src/data/read.ts';
import type { Engine, Weights } from '../../src/engine/engine.ts';
import { encodeAll } from '../../src/tokenizer/encode-all.ts';
import { loadTokenizer } from '../../src/tokenizer/load.ts';
import { CheckpointStore } from '../../src/train/checkpoint.ts';
import { evaluate, inferAll } from '../../src/train/evaluate.ts';
import type { EvalEvent, SplitSummary, TrainEvent } from '../../src/train/events.ts';
import { readModelFile } from '../../src/train/open-model.ts';
import { classification, type Problem } from '../../src/train/problem.ts';
import { fit } from '../../src/train/trainer.ts';
import { type Cell, maxLengths, nameOf, protocols, settings } from './plan.ts';

/** Where the study's files are. */
export interface Folders {
  data: string;
  models: string;
  /** Weights and test logits of MiniLM's finetune runs, which avg and vote combine. */
  runs: string;
}

export interface Scores {
  accuracy: number;
  loss: number;
}

/** What is kept of a run. */
export interface CellResult {
  cell: Cell;
  /** What the product exports: the best on dev. */
  best: { model: string; step: number; dev: number; test: number; train: Scores };
  /** The weights after the last update, on test; the teacher where the strategy has one. */
  last: Record<string, Scores>;
  /** Evaluations on dev, as they came. */
  dev: { step: number; model: string; accuracy: number; loss: number }[];
  /** Means over each tenth of the updates. */
  tenths: { ce: number[]; distill: number[]; logit: number[]; teacherLogit: number[] };
  cpuSeconds: number;
}

type Splits = Record<'train' | 'dev' | 'test', EncodedExample[]>;

/** The runs of one process, one at a time; texts are tokenized once. */
export class Runner {
  readonly #folders: Folders;
  readonly #encoded = new Map<string, ReturnType<typeof encodeTask>>();

  constructor(folders: Folders) {
    this.#folders = folders;
  }

  async run(cell: Cell): Promise<CellResult> {
    const protocol = protocols[cell.model];
    const onnx = join(this.#folders.models, cell.model);
    const options = resolveTrainOptions({
      ...protocol.options,
      ...settings[cell.setting],
      onnx,
      maxLength: maxLengths[cell.task],
      maxSteps: cell.steps,
      evalEvery: Math.ceil(cell.steps / protocol.evaluations),
      saveEvery: 'never',
      seed: cell.seed,
      threads: 1,
    });
    const { splits, padId, problem } = await this.#encode(cell);
    const model = await (await readModelFile(onnx)).open({
      ...options,
      classes: problem.target.names.length,
    });
    const { engine } = model;
    try {
      const started = process.cpuUsage();
      const observed = new Observer(engine, splits.test, { padId, problem, steps: cell.steps });
      const folder = this.#folders.runs;
      const checkpoints = new CheckpointStore(folder, engine.parameters, { keep: 1 });
      const { emit } = observed;
      const summary = await fit({
        ...{ engine, options, problem, ...splits, padId, modelDigest: await model.digest() },
        ...{ folder, checkpoints, emit },
      });
      if (cell.model === 'minilm' && cell.setting === 'finetune') {
        await this.#keep(cell, engine, await inferAll(engine, engine.student, splits.test, { padId }));
      }
      const { best, dev, test, train } = summary;
      return {
        cell,
        best: {
          model: best.model,
          step: best.step,
          dev: scoresOf(dev!).accuracy,
          test: scoresOf(test!).accuracy,
          train: scoresOf(train!),
        },
        ...observed.record,
        cpuSeconds: Number((process.cpuUsage(started).user / 1e6).toFixed(1)),
      };
    } finally {
      engine.close();
    }
  }

  #encode({ model, task }: Cell) {
    const key = `${model}/${task}`;
    const known = this.#encoded.get(key);
    if (known) return known;
    const encoded = encodeTask(join(this.#folders.data, task), join(this.#folders.models, model), {
      maxLength: maxLengths[task],
      tests: protocols[model].test,
    });
    this.#encoded.set(key, encoded);
    return encoded;
  }

  async #keep(cell: Cell, engine: Engine, logits: Float32Array): Promise<void> {
    const folder = join(this.#folders.runs, nameOf(cell));
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'logits.f32'), logits);
    const weights: Float32Array[] = [];
    for await (const { data } of engine.student.read()) weights.push(data);
    await writeFile(
      join(folder, 'weights.f32'),
      Buffer.concat(weights.map((data) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength))),
    );
  }
}

/** Tokenizes a task's three files. */
export async function encodeTask(
  data: string,
  model: string,
  { maxLength, tests }: { maxLength: number; tests: number },
) {
  const tokenizer = await loadTokenizer(model);
  const read = async (split: string) =>
    (await readExamples(join(data, `${split}.jsonl`), { flag: '--train' })).examples;
  const train = await read('train');
  const labels = LabelMap.fromExamples(train, 'train');
  const encode = async (split: string) => {
    const examples = await read(split);
    return encodeAll(tokenizer, examples, {
      maxLength,
      truncate: 'head',
      labels: labels.encode(examples, split),
    });
  };
  const splits: Splits = {
    train: await encode('train'),
    dev: await encode('dev'),
    test: await encode('test'),
  };
  splits.test.length = tests;
  return { splits, padId: tokenizer.padId, problem: classification(labels) };
}

/** Watches a run through its events and its engine: sizes of logits, and the last weights before the best are restored. */
class Observer {
  readonly #test: readonly EncodedExample[];
  readonly #padId: number;
  readonly #problem: Problem;
  readonly #steps: number;
  readonly #evaluations: EvalEvent[] = [];
  readonly #last: Record<string, Scores> = {};
  readonly #sums = { ce: tenths(), distill: tenths(), logit: tenths(), teacherLogit: tenths() };
  #updates = 0;

  constructor(
    engine: Engine,
    test: readonly EncodedExample[],
    { padId, problem, steps }: { padId: number; problem: Problem; steps: number },
  ) {
    this.#test = test;
    this.#padId = padId;
    this.#problem = problem;
    this.#steps = steps;
    const forward = engine.forward.bind(engine);
    const infer = engine.infer.bind(engine);
    const update = engine.update.bind(engine);
    const averages = new Set<Weights>();
    let teacherLogit: number | undefined;
    engine.forward = async (batch, options) => {
      // A teacher is asked just before the student.
      if (teacherLogit !== undefined) this.#add('teacherLogit', teacherLogit, this.#updates + 1);
      const logits = await forward(batch, options);
      this.#add('logit', meanMagnitude(logits.data), this.#updates + 1);
      return logits;
    };
    engine.update = async (options) => {
      const result = await update(options);
      this.#updates++;
      return result;
    };
    engine.infer = async (weights, batch, signal) => {
      const logits = await infer(weights, batch, signal);
      if (this.#updates === steps) averages.add(weights);
      teacherLogit = meanMagnitude(logits.data);
      return logits;
    };
    const restore = engine.student.copyFrom.bind(engine.student);
    engine.student.copyFrom = async (best) => {
      const [average] = [...averages].filter((weights) => weights !== best && weights !== engine.student);
      this.#last.student = await this.#measure(engine, engine.student);
      if (average) this.#last.average = await this.#measure(engine, average);
      return restore(best);
    };
  }

  readonly emit = (event: TrainEvent): void => {
    if (event.type === 'eval' && event.split === 'dev' && !event.final) this.#evaluations.push(event);
    if (event.type !== 'step') return;
    this.#add('ce', event.ce, event.step);
    this.#add('distill', event.distill, event.step);
  };

  get record(): Pick<CellResult, 'last' | 'dev' | 'tenths'> {
    const means = Object.entries(this.#sums).map(([name, sums]) => [
      name,
      sums.map(({ sum, count }) => Number((sum / Math.max(1, count)).toFixed(5))),
    ]);
    return {
      last: this.#last,
      dev: this.#evaluations.map((event) => ({ step: event.step, model: event.model, ...scoresOf(event) })),
      tenths: Object.fromEntries(means),
    };
  }

  async #measure(engine: Engine, weights: Weights): Promise<Scores> {
    return scoresOf(
      await evaluate(engine, weights, this.#test, { padId: this.#padId, problem: this.#problem }),
    );
  }

  /** @param step 1-based */
  #add(name: keyof CellResult['tenths'], value: number, step: number): void {
    const tenth = this.#sums[name][Math.floor((10 * (step - 1)) / this.#steps)]!;
    tenth.sum += value;
    tenth.count++;
  }
}

function scoresOf({ accuracy, loss }: SplitSummary): Scores {
  return { accuracy: accuracy!, loss };
}

function tenths(): { sum: number; count: number }[] {
  return Array.from({ length: 10 }, () => ({ sum: 0, count: 0 }));
}

function meanMagnitude(logits: Float32Array): number {
  return logits.reduce((sum, value) => sum + Math.abs(value), 0) / logits.length;
}
