import { floatAttribute } from '../graph.ts';
import type { Lowering } from './lowering.ts';

/** com.microsoft::QuickGelu: x·σ(α·x). */
export const quickGelu: Lowering = (builder, node) => {
  const x = node.inputs[0]!;
  const alpha = builder.scalar(floatAttribute(node, 'alpha', 1.702));
  return [builder.op('Mul', [x, builder.op('Sigmoid', [builder.op('Mul', [x, alpha])])])];
};
