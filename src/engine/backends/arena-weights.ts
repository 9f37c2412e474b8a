import { SesdError } from '../../errors.ts';
import type {
  AnyArena,
  ArenaSlice,
  NativeAddon,
  NativeArena,
  NativeAveraging,
  NativeBf16Arena,
  NativeBinding,
  NativeSession,
} from '../contract.ts';
import type { Averaging, NamedArray, Parameter, Weights } from '../engine.ts';
import type { PlannedGraph, TrainingPlan } from '../plan.ts';

/** Where each parameter lies in an arena that holds them all. */
export interface Layout {
  /** Elements of the arena. */
  length: number;
  places: ReadonlyMap<string, Place>;
}

export interface Place {
  parameter: Parameter;
  offset: number;
}

/** Parameters one behind the other, each on a cache line of its own. */
export function layOut(parameters: readonly Parameter[]): Layout {
  const places = new Map<string, Place>();
  let length = 0;
  for (const parameter of parameters) {
    places.set(parameter.name, { parameter, offset: length });
    length += Math.ceil(parameter.size / 16) * 16;
  }
  return { length, places };
}

/** What the values of parameters are read from and written to. */
export type ReadWrite = Pick<NativeBf16Arena, 'read' | 'write'>;

/**
 * Fills an arena, parameter by parameter.
 * @throws SesdError SESD_CHECKPOINT when the values are not those of all the parameters
 */
export async function writeParameters(
  arena: ReadWrite,
  { places }: Layout,
  values: AsyncIterable<NamedArray>,
): Promise<void> {
  const missing = new Set(places.keys());
  for await (const { name, data } of values) {
    const place = places.get(name);
    if (place?.parameter.size !== data.length) {
      throw new SesdError(
        'SESD_CHECKPOINT',
        place
          ? `Weights of ${name}: expected ${place.parameter.size} elements, found ${data.length}.`
          : `Weights of ${name}: the model has no parameter of that name.`,
        { hint: 'The weights belong to another model, or to another number of labels.' },
      );
    }
    await arena.write(place.offset, data);
    missing.delete(name);
  }
  if (missing.size > 0) {
    throw new SesdError(
      'SESD_CHECKPOINT',
      `Weights are missing for ${[...missing].slice(0, 3).join(', ')}.`,
      {
        hint: 'The weights belong to another model, or their file is incomplete.',
      },
    );
  }
}

export async function* readParameters(arena: ReadWrite, { places }: Layout): AsyncIterable<NamedArray> {
  for (const [name, { parameter, offset }] of places) {
    yield { name, data: await arena.read(offset, parameter.size) };
  }
}

/** An arena with what lies where in it. */
export interface Store<Arena extends ArenaSlice['arena'] = NativeArena> {
  readonly arena: Arena;
  readonly layout: Layout;
}

/** One wherever it lies. */
export type AnyStore = Store<ArenaSlice['arena']>;

/** An arena filled with the values the parameters start from. */
export async function createStore(
  addon: NativeAddon,
  parameters: readonly Parameter[],
  initial: TrainingPlan['initial'],
): Promise<Store> {
  const layout = layOut(parameters);
  const arena = await addon.createArena(layout.length);
  for (const [name, { offset }] of layout.places) await arena.writeBytes(offset, initial.get(name)!.bytes);
  return { arena, layout };
}

/** One of the weights, where it lies. */
export interface WeightSlice extends ArenaSlice {
  arena: NativeArena;
}

/** Weights of these names as they lie in the first store, or else in the other. */
export function slices<A extends ArenaSlice['arena']>(
  names: readonly string[],
  store: Store<A>,
  other?: Store<A>,
): (ArenaSlice & { arena: A })[] {
  return names.map((name) => {
    const { arena, layout } = store.layout.places.has(name) ? store : other!;
    const { parameter, offset } = layout.places.get(name)!;
    return { name, arena, offset, dims: parameter.dims };
  });
}

/** A set of weights in an arena of either kind. */
export abstract class ArenaWeights<A extends AnyArena = AnyArena> implements Weights {
  readonly arena: A;
  protected readonly addon: NativeAddon;
  readonly layout: Layout;

  constructor(addon: NativeAddon, layout: Layout, arena: A) {
    this.addon = addon;
    this.layout = layout;
    this.arena = arena;
  }

  abstract copyFrom(source: Weights): Promise<void>;

  /** Brings the arena up to date, where a session has newer values. */
  async settle(): Promise<void> {}

  /** The arena was, or is about to be, written to. */
  touch(): void {}

  async *read(): AsyncIterable<NamedArray> {
    await this.settle();
    yield* readParameters(this.arena, this.layout);
  }

  write(values: AsyncIterable<NamedArray>): Promise<void> {
    this.touch();
    return writeParameters(this.arena, this.layout, values);
  }

  release(): void {
    this.arena.release();
  }
}

/** Weights a session can read where they lie. */
export class Float32Weights extends ArenaWeights<NativeArena> {
  #binding: NativeBinding | undefined;

  /** These weights, with the frozen ones if there are any, bound to the inference session. */
  bind(session: NativeSession, graph: PlannedGraph, frozen: Store | undefined): NativeBinding {
    this.#binding ??= session.bind({ inputs: slices(graph.weights, this, frozen) });
    return this.#binding;
  }

  async copyFrom(source: Weights): Promise<void> {
    await settled(source);
    this.touch();
    if (source instanceof Float32Weights) await this.arena.copyFrom(source.arena);
    else await this.addon.mean(this.arena, [arenaOf(source)]);
  }

  override release(): void {
    this.#binding?.release();
    this.#binding = undefined;
    super.release();
  }
}

/** Weights in half the memory, to be averaged and copied from. */
export class Bf16Weights extends ArenaWeights<NativeBf16Arena> {
  async copyFrom(source: Weights): Promise<void> {
    await settled(source);
    if (!(source instanceof Float32Weights)) return this.write(source.read());
    return this.addon.average(source.arena, [{ kind: 'copy', into: this.arena }]);
  }
}

/** The weights with their arena up to date. */
export async function settled<W extends Weights>(weights: W): Promise<W> {
  await (weights as unknown as ArenaWeights).settle();
  return weights;
}

/** Averages whose arenas are up to date and may be written to. */
export async function settleAverages(averages: readonly Averaging[]): Promise<NativeAveraging[]> {
  for (const averaging of averages) {
    (await settled(averaging.into as ArenaWeights)).touch();
    if (averaging.kind === 'mean') for (const other of averaging.others) await settled(other);
  }
  return averages.map(nativeAveraging);
}

export function arenaOf(weights: Weights): AnyArena {
  return (weights as ArenaWeights).arena;
}

/** An average in terms of arenas. */
function nativeAveraging(averaging: Averaging): NativeAveraging {
  if (averaging.kind === 'copy') return { kind: averaging.kind, into: arenaOf(averaging.into) };
  const into = (averaging.into as Float32Weights).arena;
  switch (averaging.kind) {
    case 'blend':
      return { ...averaging, into };
    case 'running-mean':
      return { ...averaging, into, residual: (averaging.residual as Bf16Weights).arena };
    case 'mean':
      return { ...averaging, into, others: averaging.others.map(arenaOf) };
  }
}
