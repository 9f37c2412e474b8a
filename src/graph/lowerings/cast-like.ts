import { cannotLower, type Lowering } from './lowering.ts';

/** CastLike, as torch.onnx leaves it without optimization: Cast to the element type of the second input. */
export const castLike: Lowering = (builder, node) => {
  const [x, like] = node.inputs as [string, string];
  const dtype = builder.typeOf(like)?.dtype;
  if (dtype === undefined) throw cannotLower(node, `casts to the unknown type of '${like}'`);
  return [builder.cast(x, dtype)];
};
