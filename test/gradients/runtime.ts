import { InferenceSession, Tensor as RuntimeTensor } from 'onnxruntime-node';
import { float32Tensor } from '../../src/graph/builder.ts';
import type { Attribute, Graph, Node, TensorData } from '../../src/graph/graph.ts';
import { serializeGraph } from '../../src/graph/serialize.ts';
import { dataTypeNumber } from '../../src/onnx/tensor.ts';
import { fromTensorData, type Tensor } from './evaluator/tensor.ts';

/** The graph as it is trained: everything that is float64 for the sake of differences, in float32. */
function inFloat32(graph: Graph): Graph {
  const narrow = (data: TensorData): TensorData =>
    data.dtype === 'float64' ? float32Tensor(fromTensorData(data).data, data.dims) : data;
  const attribute = (node: Node, name: string, value: Attribute): Attribute => {
    if (value.kind === 'tensor') return { kind: 'tensor', value: narrow(value.value) };
    const casts = node.op === 'Cast' && name === 'to' && value.kind === 'int';
    if (!casts || Number(value.value) !== dataTypeNumber.float64) return value;
    return { kind: 'int', value: BigInt(dataTypeNumber.float32) };
  };
  return {
    ...graph,
    initializers: new Map([...graph.initializers].map(([name, data]) => [name, narrow(data)])),
    nodes: graph.nodes.map((node) => ({
      ...node,
      attributes: new Map([...node.attributes].map(([name, value]) => [name, attribute(node, name, value)])),
    })),
    types: new Map(
      [...graph.types].map(([name, { dtype, dims }]) => [
        name,
        { dtype: dtype === 'float64' ? 'float32' : dtype, dims },
      ]),
    ),
  };
}

function toRuntime({ dtype, dims, data }: Tensor): RuntimeTensor {
  if (dtype === 'int64') return new RuntimeTensor('int64', BigInt64Array.from([...data], BigInt), dims);
  if (dtype === 'bool') return new RuntimeTensor('bool', Uint8Array.from(data), dims);
  return new RuntimeTensor('float32', Float32Array.from(data), dims);
}

/** Runs the graph with ONNX Runtime in float32 and returns the elements of the outputs asked for. */
export async function runOnRuntime(
  graph: Graph,
  feeds: ReadonlyMap<string, Tensor>,
  outputs: readonly string[],
): Promise<Map<string, { dims: readonly number[]; data: Float32Array }>> {
  const inputs = [...feeds.keys()];
  const model = serializeGraph(inFloat32(graph), { inputs, outputs });
  const session = await InferenceSession.create(model, { intraOpNumThreads: 1, logSeverityLevel: 3 });
  try {
    const fed = Object.fromEntries([...feeds].map(([name, value]) => [name, toRuntime(value)]));
    const results = await session.run(fed, [...outputs]);
    return new Map(
      outputs.map((name) => [name, { dims: results[name]!.dims, data: results[name]!.data as Float32Array }]),
    );
  } finally {
    await session.release();
  }
}
