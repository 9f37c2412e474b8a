import { readModel } from '../../src/onnx/read.ts';
import { floatElements, isFloat, tensorData } from '../../src/onnx/tensor.ts';

/** The float tensors of a model file by name. */
export async function weightsOf(path: string): Promise<Map<string, Float32Array>> {
  const { proto, external } = await readModel(path);
  const tensors = proto.graph!.initializer.map((tensor) => ({
    name: tensor.name,
    ...tensorData(tensor, external),
  }));
  return new Map(
    tensors.filter(({ dtype }) => isFloat(dtype)).map((each) => [each.name, floatElements(each)]),
  );
}
