import type { GraphBuilder } from '../builder.ts';
import { findGelus } from '../patterns/gelu.ts';
import { GraphView } from '../view.ts';
import { replaceNode, settle } from './replace-node.ts';

/** Spells Gelu nodes, which ai.onnx has only from opset 20 on, in ops of the canonical opset. */
export function lowerGelu(builder: GraphBuilder): void {
  const nodes = findGelus(new GraphView(builder.graph)).filter(({ root }) => root.op === 'Gelu');
  for (const { root, input, approximate } of nodes) {
    replaceNode(builder, root, (name) => {
      const gate = approximate === 'tanh' ? tanhGate(builder, input) : erfGate(builder, input);
      const half = builder.op('Mul', [input, builder.scalar(0.5)]);
      builder.op('Mul', [half, builder.op('Add', [gate, builder.scalar(1)])], { name });
    });
  }
  settle(builder);
}

function erfGate(builder: GraphBuilder, x: string): string {
  return builder.op('Erf', [builder.op('Mul', [x, builder.scalar(Math.SQRT1_2)])]);
}

function tanhGate(builder: GraphBuilder, x: string): string {
  const cube = builder.op('Mul', [builder.op('Pow', [x, builder.scalar(3)]), builder.scalar(0.044715)]);
  return builder.op('Tanh', [
    builder.op('Mul', [builder.op('Add', [x, cube]), builder.scalar(Math.sqrt(2 / Math.PI))]),
  ]);
}
