import type { GraphBuilder } from '../builder.ts';
import { stringAttribute } from '../graph.ts';
import type { Lowering } from './lowering.ts';

/** Gelu of opset 20, and com.microsoft::Gelu, which has the exact form only. */
export const gelu: Lowering = (builder, node) => {
  const approximate = stringAttribute(node, 'approximate', 'none') === 'tanh';
  return [(approximate ? tanhGelu : exactGelu)(builder, node.inputs[0]!)];
};

/** x/2·(1 + erf(x/√2)). */
export function exactGelu(builder: GraphBuilder, x: string): string {
  return gated(builder, x, builder.op('Erf', [builder.op('Mul', [x, builder.scalar(Math.SQRT1_2)])]));
}

/** x/2·(1 + tanh(√(2/π)·(x + 0.044715·x³))) (Hendrycks and Gimpel, arXiv 1606.08415). */
export function tanhGelu(builder: GraphBuilder, x: string): string {
  const cube = builder.op('Mul', [builder.op('Pow', [x, builder.scalar(3)]), builder.scalar(0.044715)]);
  const inner = builder.op('Mul', [builder.op('Add', [x, cube]), builder.scalar(Math.sqrt(2 / Math.PI))]);
  return gated(builder, x, builder.op('Tanh', [inner]));
}

function gated(builder: GraphBuilder, x: string, gate: string): string {
  const half = builder.op('Mul', [x, builder.scalar(0.5)]);
  return builder.op('Mul', [half, builder.op('Add', [gate, builder.scalar(1)])]);
}
