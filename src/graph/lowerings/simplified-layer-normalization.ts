import type { GraphBuilder } from '../builder.ts';
import { floatAttribute, intAttribute } from '../graph.ts';
import { cannotLower, type Lowering } from './lowering.ts';
import { residualSum } from './residual-sum.ts';

/** SimplifiedLayerNormalization, RMSNormalization of opset 23: x / √(mean(x²) + ε) · scale over the last axis, and (output 1) 1/√(…). */
export const simplifiedLayerNormalization: Lowering = (builder, node) => {
  const [x, scale] = node.inputs as [string, string];
  const axis = intAttribute(node, 'axis', -1);
  if (axis !== -1 && axis + 1 !== builder.typeOf(x)?.dims?.length) {
    throw cannotLower(node, `normalizes from axis ${axis} on; expected the last`);
  }
  return rootMeanSquare(builder, x, scale, floatAttribute(node, 'epsilon', 1e-5));
};

/** com.microsoft::SkipSimplifiedLayerNormalization: that of input + bias + skip, and (output 3) that sum. */
export const skipSimplifiedLayerNormalization: Lowering = (builder, node) => {
  const [input, skip, scale, bias] = node.inputs;
  const sum = residualSum(builder, input!, skip!, bias);
  const [normalized] = rootMeanSquare(builder, sum, scale!, floatAttribute(node, 'epsilon', 1e-12));
  return [normalized, undefined, undefined, sum];
};

function rootMeanSquare(builder: GraphBuilder, x: string, scale: string, epsilon: number): [string, string] {
  const square = builder.op('Mul', [x, x]);
  const mean = builder.op('ReduceMean', [square, builder.ints(-1)], { attributes: { keepdims: 1 } });
  const root = builder.op('Sqrt', [builder.op('Add', [mean, builder.scalar(epsilon)])]);
  const inverse = builder.op('Reciprocal', [root]);
  return [builder.op('Mul', [builder.op('Mul', [x, inverse]), scale]), inverse];
}
