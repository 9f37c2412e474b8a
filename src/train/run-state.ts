import type { Weights } from '../engine/engine.ts';
import type { Strategy } from '../strategy/strategy.ts';
import type { ArraySet, StoredCheckpoint } from './checkpoint.ts';
import { type DataDigests, requireSameData } from './data-digest.ts';
import { requireSameModel } from './model-digest.ts';
import type { ModelSelection } from './model-selection.ts';
import type { Progress } from './stored-checkpoint.ts';
import type { FitInput } from './trainer.ts';

type StateInput = Pick<FitInput, 'engine' | 'options' | 'modelDigest' | 'checkpoints' | 'emit'>;

/** Where a run stands. */
export type Position = Pick<Progress, 'step' | 'evaluated' | 'seconds'>;

/** Everything a run has to go on from, as its checkpoints hold it. */
export class RunState {
  readonly #input: StateInput;
  readonly #strategy: Strategy;
  readonly #selection: ModelSelection;
  readonly #data: DataDigests;

  constructor(input: StateInput, strategy: Strategy, selection: ModelSelection, data: DataDigests) {
    this.#input = input;
    this.#strategy = strategy;
    this.#selection = selection;
    this.#data = data;
  }

  /** Writes a checkpoint, unless the step has one. @returns its path */
  async save(position: Position): Promise<string> {
    const { engine, modelDigest, checkpoints, emit } = this.#input;
    const { ensembles, sets } = this.#strategy.state();
    const progress: Progress = {
      ...position,
      ...this.#selection.state(),
      strategy: ensembles,
      data: this.#data,
      model: modelDigest,
    };
    const arrays: ArraySet[] = [
      { name: 'student', read: () => engine.student.read() },
      { name: 'm', read: () => engine.readMoments('m') },
      { name: 'v', read: () => engine.readMoments('v') },
      ...[...sets, ...this.#selection.sets()].map(({ name, weights }) => ({
        name,
        read: () => weights.read(),
      })),
    ];
    const { path, written } = await checkpoints.save(progress, arrays);
    if (written) emit({ type: 'checkpoint', step: position.step, path });
    return path;
  }

  /** Takes up the newest checkpoint that can be used. @returns where the run goes on: without any, before its first step */
  async restore(): Promise<Position> {
    const { checkpoints, emit } = this.#input;
    const { checkpoint, faults } = await checkpoints.newest();
    if (checkpoint) await this.#load(checkpoint);
    const { step, evaluated, seconds } = checkpoint?.progress ?? { step: 0, evaluated: true, seconds: 0 };
    emit({ type: 'resume', step, evaluated });
    for (const fault of faults) {
      const message = `Left a damaged checkpoint out, going on from step ${step}: ${fault}.`;
      emit({ type: 'notice', message });
    }
    if (!checkpoint)
      emit({ type: 'notice', message: 'There is no checkpoint yet: starting from the beginning.' });
    return { step, evaluated, seconds };
  }

  async #load({ progress, read }: StoredCheckpoint): Promise<void> {
    const { engine, options, modelDigest } = this.#input;
    requireSameModel(progress.model, modelDigest, options);
    requireSameData(progress.data, this.#data, options);
    const load = (name: string, into: Weights) => into.write(read(name));
    await load('student', engine.student);
    for (const which of ['m', 'v'] as const) await engine.writeMoments(which, read(which), progress.step);
    await this.#strategy.restore(progress.strategy, load);
    await this.#selection.restore(progress, load);
  }
}
