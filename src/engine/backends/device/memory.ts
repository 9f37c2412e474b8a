import type { Graph } from '../../../graph/graph.ts';
import { serializeGraph } from '../../../graph/serialize.ts';
import type {
  ArenaSlice,
  HostTensor,
  NativeAddon,
  NativeArena,
  NativeSession,
  NativeTensor,
  SessionOptions,
} from '../../contract.ts';
import type { ReadWrite } from '../arena-weights.ts';
import { takingModel } from '../sessions.ts';
import { addPass, copyPass, type Stored, zerosGraph } from './pass-graphs.ts';

/** Numbers on the device; or, of weights kept in a file, in the host's memory. */
export interface Vector {
  readonly memory: NativeTensor | NativeArena;
  readonly type: Stored;
}

/** Elements a pass takes at a time, which bounds what its intermediate values take. A multiple of 16. */
const PIECE = 2 ** 24;

/** A range of a vector. */
export interface Range {
  offset: number;
  length: number;
}

/** Memory of the device a model is computed on, and passes over it. All of it goes through sessions of that device. */
export class DeviceMemory {
  readonly addon: NativeAddon;
  /** Where sessions compute: the options of the CUDA provider, or nothing, for the CPU. */
  readonly options: SessionOptions;
  readonly #sessions = new Map<string, Promise<NativeSession>>();

  constructor(addon: NativeAddon, options: SessionOptions) {
    this.addon = addon;
    this.options = options;
  }

  /** Zeros. */
  async allocate(length: number, type: Stored = 'float32'): Promise<Vector> {
    const key = `zeros ${type}`;
    const session = await this.#session(key, () => zerosGraph(type));
    const binding = session.bind({ inputs: [] });
    try {
      const feeds = { length: int64(length) };
      const { stash } = await binding.run({ feeds, fetch: [], keep: ['y'] });
      const memory = stash!.tensor('y');
      stash!.release();
      return { memory, type };
    } finally {
      binding.release();
    }
  }

  async write({ memory, type }: Vector, offset: number, data: Float32Array): Promise<void> {
    const session = await this.#session(`copy float32 ${type}`, () => copyPass('float32', type));
    const outputs = [{ name: 'y', arena: memory, offset, dims: [data.length] }];
    const feeds = { x: { dtype: 'float32', dims: [data.length], data } as const };
    await runOnce(session, { inputs: [], outputs }, feeds);
  }

  async read({ memory, type }: Vector, offset: number, length: number): Promise<Float32Array> {
    const session = await this.#session(`copy ${type} float32`, () => copyPass(type, 'float32'));
    const inputs = [{ name: 'x', arena: memory, offset, dims: [length] }];
    const { fetched } = await runOnce(session, { inputs }, {}, ['y']);
    return fetched.y!.data as Float32Array;
  }

  /** A vector as something to read and write. */
  access(vector: Vector): ReadWrite {
    return {
      read: (offset, length) => this.read(vector, offset, length),
      write: (offset, data) => this.write(vector, offset, data),
    };
  }

  async copy(from: Vector, to: Vector): Promise<void> {
    const key = `copy ${from.type} ${to.type}`;
    await this.run(key, () => copyPass(from.type, to.type), { x: from }, { y: to }, {}, whole(from));
  }

  async add(to: Vector, from: Vector): Promise<void> {
    await this.run('add', addPass, { a: to, x: from }, { "a'": to }, {}, whole(to));
  }

  /**
   * Runs a pass, piece by piece, over a range of vectors.
   * @param fetch a scalar output to return, of every piece
   */
  async run(
    key: string,
    make: () => Graph,
    inputs: Readonly<Record<string, Vector>>,
    outputs: Readonly<Record<string, Vector>>,
    scalars: Readonly<Record<string, number>>,
    range: Range,
    fetch?: string,
  ): Promise<number[]> {
    const session = await this.#session(key, make);
    const feeds = Object.fromEntries(Object.entries(scalars).map(([name, value]) => [name, scalar(value)]));
    const results: number[] = [];
    for (let done = 0; done < range.length; done += PIECE) {
      const dims = [Math.min(PIECE, range.length - done)];
      const slices = (vectors: Readonly<Record<string, Vector>>): ArenaSlice[] =>
        Object.entries(vectors).map(([name, { memory }]) => ({
          ...{ name, arena: memory, dims },
          offset: range.offset + done,
        }));
      const bound = { inputs: slices(inputs), outputs: slices(outputs), inPlace: true };
      const { fetched } = await runOnce(session, bound, feeds, fetch ? [fetch] : []);
      if (fetch) results.push((fetched[fetch]!.data as Float32Array)[0]!);
    }
    return results;
  }

  release(): void {
    for (const making of this.#sessions.values()) {
      making.then(
        (session) => session.release(),
        () => {}, // never made: nothing to free
      );
    }
  }

  #session(key: string, make: () => Graph): Promise<NativeSession> {
    const known = this.#sessions.get(key);
    if (known) return known;
    const model = serializeGraph(make());
    const making = takingModel(`pass ${key}`, () => this.addon.createSession(model, this.options));
    this.#sessions.set(key, making);
    return making;
  }
}

export function whole({ memory }: Vector): Range {
  return { offset: 0, length: memory.length };
}

async function runOnce(
  session: NativeSession,
  slices: Parameters<NativeSession['bind']>[0],
  feeds: Record<string, HostTensor>,
  fetch: string[] = [],
) {
  const binding = session.bind(slices);
  try {
    return await binding.run({ feeds, fetch });
  } finally {
    binding.release();
  }
}

function scalar(value: number): HostTensor {
  return { dtype: 'float32', dims: [], data: Float32Array.of(value) };
}

function int64(value: number): HostTensor {
  return { dtype: 'int64', dims: [1], data: BigInt64Array.of(BigInt(value)) };
}
