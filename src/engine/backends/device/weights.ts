import type { ArenaSlice, NativeBinding, NativeSession } from '../../contract.ts';
import type { NamedArray, Parameter, Weights } from '../../engine.ts';
import type { PlannedGraph } from '../../plan.ts';
import { type AnyStore, type Layout, readParameters, slices, writeParameters } from '../arena-weights.ts';
import type { DeviceMemory, Range, Vector } from './memory.ts';

/** A set of weights in the memory of the device, or in a file. */
export class DeviceWeights implements Weights {
  readonly vector: Vector;
  readonly layout: Layout;
  readonly #device: DeviceMemory;
  #binding: NativeBinding | undefined;

  constructor(device: DeviceMemory, layout: Layout, vector: Vector) {
    this.#device = device;
    this.layout = layout;
    this.vector = vector;
  }

  get arena(): ArenaSlice['arena'] {
    return this.vector.memory;
  }

  /** These weights, with the frozen ones if there are any, bound to the inference session. */
  bind(session: NativeSession, graph: PlannedGraph, frozen: AnyStore | undefined): NativeBinding {
    this.#binding ??= session.bind({ inputs: slices(graph.weights, this, frozen) });
    return this.#binding;
  }

  copyFrom(source: Weights): Promise<void> {
    return this.#device.copy(vectorOf(source), this.vector);
  }

  read(): AsyncIterable<NamedArray> {
    return readParameters(this.#device.access(this.vector), this.layout);
  }

  write(values: AsyncIterable<NamedArray>): Promise<void> {
    return writeParameters(this.#device.access(this.vector), this.layout, values);
  }

  release(): void {
    this.#binding?.release();
    this.#binding = undefined;
    this.vector.memory.release();
  }
}

export function vectorOf(weights: Weights): Vector {
  return (weights as DeviceWeights).vector;
}

/** A range of parameters that are updated with the same rates. */
export interface RateRange extends Range {
  /** Any of them. */
  parameter: Parameter;
}

/** Parameters laid out so that those of the same rates lie together; `places` keeps their order. */
export function layOutByRates(parameters: readonly Parameter[]): { layout: Layout; ranges: RateRange[] } {
  const groups = new Map<string, Parameter[]>();
  for (const parameter of parameters) {
    const key = [parameter.group, parameter.decay, parameter.learningRateScale].join();
    groups.set(key, [...(groups.get(key) ?? []), parameter]);
  }
  const offsets = new Map<string, number>();
  const ranges: RateRange[] = [];
  let length = 0;
  for (const group of groups.values()) {
    const offset = length;
    for (const { name, size } of group) {
      offsets.set(name, length);
      length += Math.ceil(size / 16) * 16;
    }
    ranges.push({ offset, length: length - offset, parameter: group[0]! });
  }
  const places = parameters.map(
    (parameter) => [parameter.name, { parameter, offset: offsets.get(parameter.name)! }] as const,
  );
  return { layout: { length, places: new Map(places) }, ranges };
}
