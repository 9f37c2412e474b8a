import type { GraphBuilder } from '../builder.ts';
import { floatAttribute } from '../graph.ts';
import type { Lowering } from './lowering.ts';

/** Swish of ai.onnx (opset 24): x·σ(α·x), where α is 1. */
export const swish: Lowering = (builder, node) => [
  scaledSwish(builder, node.inputs[0]!, floatAttribute(node, 'alpha', 1)),
];

/** com.microsoft::QuickGelu: the same where α is 1.702. */
export const quickGelu: Lowering = (builder, node) => [
  scaledSwish(builder, node.inputs[0]!, floatAttribute(node, 'alpha', 1.702)),
];

function scaledSwish(builder: GraphBuilder, x: string, alpha: number): string {
  const scaled = alpha === 1 ? x : builder.op('Mul', [x, builder.scalar(alpha)]);
  return builder.op('Mul', [x, builder.op('Sigmoid', [scaled])]);
}
