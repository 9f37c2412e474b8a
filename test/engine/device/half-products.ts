import { fromBinary, toBinary } from '@bufbuild/protobuf';
import type { PlannedGraph, TrainingPlan } from '../../../src/engine/plan.ts';
import { ModelProtoSchema, type NodeProto } from '../../../src/onnx/generated/onnx_pb.ts';
import { dataTypeNumber } from '../../../src/onnx/tensor.ts';
import { node } from '../../onnx/build-model.ts';

const half = new Set<number>([dataTypeNumber.float16, dataTypeNumber.bfloat16]);

/**
 * The plan with its products of half-precision operands done as a GPU does them: in float32, with the result rounded. The
 * CPU's provider has no products of bfloat16, and computes those of float16 without rounding what comes out.
 */
export function roundingProducts(plan: TrainingPlan): TrainingPlan {
  const rounding = <P extends PlannedGraph>(graph: P): P => ({ ...graph, model: rewrite(graph.model) });
  const { forward, backward, inference } = plan;
  return {
    ...plan,
    ...{ forward: rounding(forward), backward: rounding(backward), inference: rounding(inference) },
  };
}

function rewrite(bytes: Uint8Array): Uint8Array {
  const model = fromBinary(ModelProtoSchema, bytes);
  const graph = model.graph!;
  const types = new Map<string, number>();
  for (const { name, type } of graph.input) types.set(name, type!.tensorType!.elemType);
  graph.node = graph.node.flatMap((each): NodeProto[] => {
    const { opType, input, output } = each;
    const type =
      opType === 'Cast' ? Number(each.attribute.find(({ name }) => name === 'to')!.i) : types.get(input[0]!);
    if (type !== undefined) for (const name of output) types.set(name, type);
    if ((opType !== 'MatMul' && opType !== 'Gemm') || !half.has(type!)) return [each];
    const [name] = output as [string];
    const cast = (from: string, to: string, type: number) => node('Cast', [from], [to], { to: type });
    return [
      ...input.map((operand, place) => cast(operand, `${name}/operand${place}`, dataTypeNumber.float32)),
      { ...each, input: input.map((_, place) => `${name}/operand${place}`), output: [`${name}/wide`] },
      cast(`${name}/wide`, name, type!),
    ];
  });
  return toBinary(ModelProtoSchema, model);
}
