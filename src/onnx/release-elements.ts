import { isConstant } from './encode.ts';
import type { TensorProto } from './generated/onnx_pb.ts';
import type { OnnxModel } from './read.ts';

/**
 * Lets go of the elements of the named tensors, which live elsewhere from now on and come back as new weights
 * when the model is written. What stays is copied out of the file's bytes, so that those can be freed.
 */
export function releaseElements(model: OnnxModel, names: ReadonlySet<string>): void {
  const release = (tensor: TensorProto, name: string) => {
    if (!names.has(name)) {
      tensor.rawData = tensor.rawData.slice();
      return;
    }
    tensor.rawData = new Uint8Array();
    tensor.floatData = [];
    model.external.delete(tensor);
  };
  for (const tensor of model.proto.graph?.initializer ?? []) release(tensor, tensor.name);
  for (const node of model.proto.graph?.node ?? []) {
    for (const { t } of node.attribute) if (t && isConstant(node)) release(t, node.output[0] ?? '');
  }
}
