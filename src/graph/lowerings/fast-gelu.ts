import { tanhGelu } from './gelu.ts';
import type { Lowering } from './lowering.ts';

/** com.microsoft::FastGelu: the tanh form, of x + bias where there is one. */
export const fastGelu: Lowering = (builder, node) => {
  const [x, bias] = node.inputs;
  return [tanhGelu(builder, bias ? builder.op('Add', [x!, bias]) : x!)];
};
