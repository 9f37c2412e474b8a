import { floatAttribute } from '../graph.ts';
import type { Lowering } from './lowering.ts';
import { residualSum } from './residual-sum.ts';

/** com.microsoft::SkipLayerNormalization: LayerNormalization of input + bias + skip, and (output 3) that sum. */
export const skipLayerNormalization: Lowering = (builder, node) => {
  const [input, skip, scale, shift, bias] = node.inputs;
  const sum = residualSum(builder, input!, skip!, bias);
  const normalized = builder.op('LayerNormalization', [sum, scale!, ...(shift ? [shift] : [])], {
    attributes: { axis: -1, epsilon: { float: floatAttribute(node, 'epsilon', 1e-12) } },
  });
  return [normalized, undefined, undefined, sum];
};
