import { parseModel } from '../../src/onnx/read.ts';

/** Inputs that the CUDA provider's kernels read from the host's memory (InputMemoryType in core/providers/cuda). */
const hostInputs: Readonly<Record<string, readonly number[]>> = {
  ...{ Reshape: [1], Expand: [1], ConstantOfShape: [0], Range: [0, 1, 2], Slice: [1, 2, 3, 4], Tile: [1] },
  ...{ Unsqueeze: [1], Squeeze: [1], Split: [1], Pad: [1, 2, 3], CumSum: [1], OneHot: [1], Trilu: [1] },
  ...{ ReduceSum: [1], ReduceMean: [1], ReduceMax: [1], ReduceMin: [1], ReduceProd: [1], Clip: [1, 2] },
};

/**
 * Nodes that ONNX Runtime would put on the CPU although CUDA has kernels for them: those that compute from nothing but
 * what is on the host, the outputs of Shape and Size to begin with
 * (onnxruntime/core/framework/fallback_cpu_capability.cc). session.disable_cpu_ep_fallback refuses a graph with any.
 *
 * @param model a serialized ModelProto
 */
export function placedOnHost(model: Uint8Array): string[] {
  const graph = parseModel(model, 'the graph').graph!;
  const onHost = new Set<string>();
  const given = new Set([...graph.input, ...graph.initializer].map(({ name }) => name));
  given.add('');
  const placed: string[] = [];
  for (const { opType, name, input, output } of graph.node) {
    const follows =
      input.some((value) => onHost.has(value)) &&
      input.every(
        (value, index) => given.has(value) || (onHost.has(value) && !hostInputs[opType]?.includes(index)),
      );
    if (opType !== 'Shape' && opType !== 'Size') {
      if (!follows) continue;
      placed.push(`${opType} ${name}`);
    }
    for (const value of output) onHost.add(value);
  }
  return placed;
}
