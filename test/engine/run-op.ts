import { loadAddon, runtimeLibrary } from '../../src/engine/backends/load-addon.ts';
import type { HostTensor } from '../../src/engine/contract.ts';
import { type AttributeInit, toAttribute } from '../../src/graph/builder.ts';
import type { Graph } from '../../src/graph/graph.ts';
import { serializeGraph } from '../../src/graph/serialize.ts';

export const addon = loadAddon();
/** The instruction set the kernels run with. */
export const { simd } = addon.open({ library: runtimeLibrary(), threads: 2 });

export interface OpCall {
  op: string;
  domain?: string;
  /** Absent optional inputs are undefined. */
  inputs: readonly (HostTensor | undefined)[];
  /** Absent optional outputs are ''. */
  outputs: readonly string[];
  attributes?: Record<string, AttributeInit>;
  threads?: number;
}

/** Runs one operator in a graph of its own and returns its float32 outputs by name. */
export function runOp(call: OpCall): Promise<Record<string, Float32Array>> {
  const names = call.inputs.map((tensor, i) => (tensor ? `input${i}` : ''));
  const feeds: Record<string, HostTensor> = {};
  const graph: Graph = {
    opset: 18,
    inputs: names.filter(Boolean),
    outputs: call.outputs.filter(Boolean),
    initializers: new Map(),
    nodes: [
      {
        name: 'node',
        op: call.op,
        domain: call.domain ?? 'sesd',
        inputs: names,
        outputs: [...call.outputs],
        attributes: new Map(
          Object.entries(call.attributes ?? {}).map(([name, value]) => [name, toAttribute(value)]),
        ),
      },
    ],
    types: new Map(),
  };
  for (const [i, tensor] of call.inputs.entries()) {
    if (!tensor) continue;
    feeds[names[i]!] = tensor;
    graph.types.set(names[i]!, { dtype: tensor.dtype, dims: undefined });
  }
  for (const output of graph.outputs) graph.types.set(output, { dtype: 'float32', dims: undefined });
  return runGraph(graph, feeds, call.threads);
}

/** Runs a graph and returns its float32 outputs by name. */
export async function runGraph(
  graph: Graph,
  feeds: Readonly<Record<string, HostTensor>>,
  threads?: number,
): Promise<Record<string, Float32Array>> {
  const session = await addon.createSession(serializeGraph(graph), threads === undefined ? {} : { threads });
  const binding = session.bind({ inputs: [] });
  try {
    const { fetched } = await binding.run({ feeds, fetch: graph.outputs });
    return Object.fromEntries(
      Object.entries(fetched).map(([name, tensor]) => [name, tensor.data as Float32Array]),
    );
  } finally {
    binding.release();
    session.release();
  }
}

export function float32(dims: readonly number[], values: ArrayLike<number>): HostTensor {
  return { dtype: 'float32', dims, data: Float32Array.from(values) };
}

export function int64(dims: readonly number[], values: readonly (number | bigint)[]): HostTensor {
  return { dtype: 'int64', dims, data: BigInt64Array.from(values, BigInt) };
}

/** `count` float32 numbers, roughly normal, the same for the same seed. */
export function normal(count: number, seed: number, scale = 1): Float32Array {
  let state = seed >>> 0;
  const uniform = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state + 0.5) / 2 ** 32;
  };
  return Float32Array.from(
    { length: count },
    () => scale * Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform()),
  );
}
