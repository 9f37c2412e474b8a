import { create, toBinary } from '@bufbuild/protobuf';
import { prepareBert } from '../../src/bert/prepare.ts';
import { importGraph } from '../../src/graph/import.ts';
import { ModelProtoSchema, TensorProtoSchema } from '../../src/onnx/generated/onnx_pb.ts';
import { parseModel, readModel } from '../../src/onnx/read.ts';
import { shareEqualMatrices } from '../../src/onnx/shared-matrices.ts';
import { floatElements, tensorData } from '../../src/onnx/tensor.ts';
import { type Feed, runModel } from '../onnx/run-model.ts';
import type { ZooRecord } from './record.ts';

const RATIO = 0.1;

/** Logits of the graph that is trained when every dropout multiplies by `factor` instead, and how many there are. */
export async function scaleDropout(
  { path, inputs }: ZooRecord,
  factor: number,
): Promise<{ sites: number; logits: number[] }> {
  const file = await readModel(path);
  shareEqualMatrices(file);
  const { plan } = await prepareBert(importGraph(file), {
    head: 'auto',
    dropout: RATIO,
    fuse: false,
    seed: 1,
  });
  const model = parseModel(plan.forward.model, path);
  const graph = model.graph!;
  // of the stock spelling, Where(dropped, 0, 1 / (1 - ratio))
  const kept = Math.fround(1 / (1 - Math.fround(RATIO)));
  const scales = new Set(
    graph.initializer
      .filter((tensor) => tensor.dataType === 1 && tensor.dims.length === 0)
      .filter((tensor) => floatElements(tensorData(tensor))[0] === kept)
      .map(({ name }) => name),
  );
  const dropouts = graph.node.filter(({ opType, input }) => opType === 'Where' && scales.has(input[2]!));
  for (const { input } of dropouts) input.splice(1, 2, 'factor', 'factor');
  const read = new Set(graph.node.flatMap(({ input }) => input));
  graph.initializer = graph.initializer.filter(({ name }) => read.has(name));
  const rawData = new Uint8Array(Float32Array.of(factor).buffer);
  graph.initializer.push(create(TensorProtoSchema, { name: 'factor', dataType: 1, rawData }));

  const feeds: Record<string, Feed> = {
    [plan.dropoutKey!]: { type: 'int64', dims: [2], data: new BigInt64Array(2) },
  };
  for (const { name, dims, data } of Object.values(inputs).filter((input) => input !== undefined))
    feeds[name] = { type: 'int64', dims, data: BigInt64Array.from(data, BigInt) };
  for (const { name, dtype } of plan.feeds)
    if (dtype === 'int32') feeds[name] = { ...feeds[name]!, type: dtype, data: toInt32(feeds[name]!) };
  for (const [name, tensor] of plan.initial)
    feeds[name] = {
      type: 'float32',
      dims: [...tensor.dims],
      data: floatElements({ dtype: 'float32', ...tensor }),
    };
  const outputs = await runModel(toBinary(ModelProtoSchema, model), feeds);
  return { sites: dropouts.length, logits: Array.from(outputs[plan.logits]!.data, Number) };
}

function toInt32({ data }: Feed): Int32Array {
  return Int32Array.from(data as BigInt64Array, Number);
}
