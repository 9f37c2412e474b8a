import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { resolveTrainOptions } from '../../src/config/resolve.ts';
import type { TrainOptionsInput } from '../../src/config/train-options.ts';
import type { EncodedExample } from '../../src/data/example.ts';
import { LabelMap } from '../../src/data/labels.ts';
import { CheckpointStore } from '../../src/train/checkpoint.ts';
import type { EvalEvent, StepEvent, TrainEvent } from '../../src/train/events.ts';
import { classification } from '../../src/train/problem.ts';
import { type FitInput, fit } from '../../src/train/trainer.ts';
import { classes, flatten, TinyEngine, vocabulary } from './tiny-engine.ts';

/** Examples whose label is learnable: tokens of a class come up more often in its texts. */
export function tinyExamples(count: number, salt = 0): EncodedExample[] {
  return Array.from({ length: count }, (_, i) => {
    const label = (i * 7 + salt) % classes;
    const ids = Int32Array.from({ length: 1 + ((i * 5 + salt) % 4) }, (_, j) =>
      j % 2 === 0 ? 1 + label * 3 + ((i + j) % 3) : 1 + ((i * 11 + j * 3 + salt) % (vocabulary - 1)),
    );
    return { ids, typeIds: new Int32Array(ids.length), label };
  });
}

/** The labels of the tiny examples. */
export const tinyProblem = classification(new LabelMap(['animal', 'plant', 'food']));

/** Rates at which the tiny model learns within a few steps. */
export const tinyOptions = { lr: 0.02, headLr: 0.05, batchSize: 4, epochs: 2, dropout: 0 } as const;

const folders: string[] = [];
process.on('exit', () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** A new empty folder, gone when the tests end. */
export function tinyFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'sesd-train-'));
  folders.push(folder);
  return folder;
}

export interface TinyRun extends Partial<Omit<FitInput, 'options' | 'emit' | 'checkpoints'>> {
  options?: TrainOptionsInput;
  folder?: string;
  fixed?: { rows?: number; length?: number };
  engine?: TinyEngine;
  onEvent?: (event: TrainEvent) => void;
}

/** Runs fit on a tiny model in a folder of its own. */
export async function tinyFit(run: TinyRun = {}) {
  const options = resolveTrainOptions({ ...tinyOptions, ...run.options });
  const engine =
    run.engine ?? new TinyEngine({ dropout: options.dropout, ...(run.fixed && { fixed: run.fixed }) });
  const folder = run.folder ?? tinyFolder();
  const events: TrainEvent[] = [];
  const summary = await fit({
    train: tinyExamples(18),
    problem: tinyProblem,
    padId: 0,
    modelDigest: 'tiny',
    ...run,
    engine,
    options,
    folder,
    checkpoints: new CheckpointStore(folder, engine.parameters, options),
    emit: (event) => {
      events.push(event);
      run.onEvent?.(event);
    },
  });
  return {
    summary,
    engine,
    folder,
    events,
    steps: events.filter((event): event is StepEvent => event.type === 'step'),
    evals: events.filter((event): event is EvalEvent => event.type === 'eval'),
    weights: await flatten(engine.student.read()),
  };
}
