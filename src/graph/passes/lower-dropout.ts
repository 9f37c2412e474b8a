import type { GraphBuilder } from '../builder.ts';
import { floatAttribute, intAttribute } from '../graph.ts';
import { replaceNode, settle } from './replace-node.ts';

const TWO_32 = 2 ** 32;

/**
 * Spells `sesd::Dropout` in stock ONNX ops that compute the same bits (native/kernels/OPS.md): the
 * counter-based stream in int64, modulo 2³², over the flat index of each element.
 */
export function lowerDropout(builder: GraphBuilder): void {
  const nodes = builder.graph.nodes.filter((node) => node.domain === 'sesd' && node.op === 'Dropout');
  const long = (value: number) => builder.scalar(value, 'int64');
  const modulus = long(TWO_32);
  const wrap = (value: string) => builder.op('Mod', [value, modulus]);
  for (const node of nodes) {
    const [x, key] = node.inputs as [string, string];
    const ratio = Math.fround(floatAttribute(node, 'ratio', 0));
    const site = intAttribute(node, 'site', 0);
    replaceNode(builder, node, (name) => {
      const key0 = builder.op('Gather', [key, long(0)], { attributes: { axis: 0 } });
      const key1 = builder.op('Gather', [key, long(1)], { attributes: { axis: 0 } });
      const siteKey = wrap(builder.op('Add', [key1, long((site * 1640531527) % TWO_32)]));
      const affine = (value: string, factor: number, addend: string) =>
        wrap(builder.op('Add', [builder.op('Mul', [value, long(factor)]), addend]));
      const round = (value: string, factor: number, addend: string) => {
        const high = builder.op('Div', [value, long(2 ** 16)]);
        return affine(builder.op('Add', [value, builder.op('Mul', [high, high])]), factor, addend);
      };
      const index = wrap(builder.op('Range', [long(0), builder.op('Size', [x]), long(1)]));
      let bits = affine(index, 747796405, key0);
      bits = round(bits, 739982445, siteKey);
      bits = round(bits, 695872825, key0);
      bits = round(bits, 830770091, siteKey);
      const dropped = builder.op('Less', [bits, long(Math.floor(ratio * TWO_32 + 0.5))]);
      const factor = builder.op('Where', [dropped, builder.scalar(0), builder.scalar(1 / (1 - ratio))]);
      builder.op('Mul', [x, builder.op('Reshape', [factor, builder.op('Shape', [x])])], { name });
    });
  }
  settle(builder);
}
