process.env.ORT_DISABLE_TELEMETRY = '1';
const { InferenceSession, Tensor } = await import('onnxruntime-node');

export interface Feed {
  type: 'float32' | 'int64' | 'int32' | 'bool';
  data: Float32Array | BigInt64Array | Int32Array | Uint8Array;
  dims: number[];
}

export interface Fetched {
  dims: readonly number[];
  data: ArrayLike<number | bigint>;
}

/** The model's outputs as onnxruntime-node computes them, alone. */
export async function runModel(
  model: Uint8Array | string,
  feeds: Record<string, Feed>,
): Promise<Record<string, Fetched>> {
  const options = { intraOpNumThreads: 1, logSeverityLevel: 2 } as const;
  const session =
    typeof model === 'string'
      ? await InferenceSession.create(model, options)
      : await InferenceSession.create(model, options);
  const tensors = Object.entries(feeds)
    .filter(([name]) => session.inputNames.includes(name))
    .map(([name, { type, data, dims }]) => [name, new Tensor(type, data as Float32Array, dims)]);
  const results = await session.run(Object.fromEntries(tensors));
  await session.release();
  return Object.fromEntries(
    Object.entries(results).map(([name, { dims, data }]) => [
      name,
      { dims, data: data as ArrayLike<number | bigint> },
    ]),
  );
}

/** float32 input of the given dims, the same in every call. */
export function ramp(...dims: number[]): Feed {
  const size = dims.reduce((a, b) => a * b, 1);
  return {
    type: 'float32',
    dims,
    data: Float32Array.from({ length: size }, (_, i) => Math.sin(i * 1.7) * 2),
  };
}

/** Largest difference of elements relative to the largest element. */
export function difference(a: Fetched, b: Fetched): number {
  if (a.dims.join() !== b.dims.join()) return Number.POSITIVE_INFINITY;
  let most = 0;
  let scale = 1e-30;
  for (let i = 0; i < a.data.length; i++) {
    most = Math.max(most, Math.abs(Number(a.data[i]) - Number(b.data[i])));
    scale = Math.max(scale, Math.abs(Number(a.data[i])));
  }
  return most / scale;
}
