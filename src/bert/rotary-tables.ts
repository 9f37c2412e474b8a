import type { Graph, TensorData } from '../graph/graph.ts';
import { floatElements } from '../onnx/tensor.ts';

/**
 * Tables of the cosines and sines that rotary positions turn queries and keys by: exports for one length hold them as
 * tensors of floats. They are told from weights by their values: two tensors of the same dims that begin with 1 and 0,
 * an angle of 0, and whose squares add up to 1 everywhere.
 */
export function findRotaryTables(graph: Graph): Set<string> {
  const found = new Set<string>();
  const cosines: [string, TensorData][] = [];
  const sines: [string, TensorData][] = [];
  for (const [name, tensor] of graph.initializers) {
    if (tensor.dtype !== 'float32' || tensor.dims.length < 2 || tensor.bytes.length === 0) continue;
    const first = new DataView(tensor.bytes.buffer, tensor.bytes.byteOffset).getFloat32(0, true);
    if (first === 1) cosines.push([name, tensor]);
    else if (first === 0) sines.push([name, tensor]);
  }
  for (const [cosine, a] of cosines) {
    for (const [sine, b] of sines) {
      if (a.dims.join() === b.dims.join() && areOfOneAngle(floatElements(a), floatElements(b))) {
        found.add(cosine).add(sine);
      }
    }
  }
  return found;
}

/** Ones and zeros alone would be: a scale and a shift as they are before training. */
function areOfOneAngle(cosines: Float32Array, sines: Float32Array): boolean {
  return (
    cosines.every((cosine, i) => Math.abs(cosine * cosine + sines[i]! * sines[i]! - 1) < 1e-5) &&
    sines.some((sine) => sine !== 0)
  );
}
