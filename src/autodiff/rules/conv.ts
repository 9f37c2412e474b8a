import { intAttribute, intsAttribute, stringAttribute } from '../../graph/graph.ts';
import type { GradientRule, RuleContext } from '../rule.ts';

/** How a Conv over one spatial axis walks it, with steps of 1. */
interface Walk {
  /** Size of the kernel. */
  taps: number;
  dilation: number;
  pads: readonly [number, number];
  groups: number;
}

/** Conv over one spatial axis: x [batch, in, length], weight [out, in / groups, taps], bias [out]. */
export const conv: GradientRule = (at) => {
  const { builder, outputGradient } = at;
  const walk = walkOf(at);
  const { dilation, pads, groups } = walk;
  const attributes = { dilations: [dilation], pads, group: groups };
  return [
    at.needs(0) ? builder.op('ConvTranspose', [outputGradient, at.input(1)], { attributes }) : undefined,
    at.needs(1) ? weightGradient(at, walk) : undefined,
    at.needs(2)
      ? builder.op('ReduceSum', [outputGradient, builder.ints(0, 2)], { attributes: { keepdims: 0 } })
      : undefined,
  ];
};

function walkOf(at: RuleContext): Walk {
  const { node } = at;
  if (at.rank(at.input(0)) !== 3) at.unsupported('only a Conv over one spatial axis has a rule');
  if (!['NOTSET', 'VALID'].includes(stringAttribute(node, 'auto_pad', 'NOTSET'))) {
    at.unsupported('its padding is computed at run time');
  }
  if ((intsAttribute(node, 'strides')?.[0] ?? 1) !== 1) at.unsupported('a stride other than 1 has no rule');
  const taps = intsAttribute(node, 'kernel_shape')?.[0] ?? at.dims(at.input(1))?.[2];
  if (typeof taps !== 'number') return at.unsupported('the size of its kernel is unknown');
  const [before = 0, after = 0] = intsAttribute(node, 'pads') ?? [];
  return {
    taps,
    dilation: intsAttribute(node, 'dilations')?.[0] ?? 1,
    pads: [before, after],
    groups: intAttribute(node, 'group', 1),
  };
}

/** One product over batch and positions: dY [out, batch · length] by the windows of x [in · taps, batch · length]. */
function weightGradient(at: RuleContext, { taps, dilation, pads, groups }: Walk): string {
  const { builder, shapes } = at;
  const padded = pads.some((pad) => pad !== 0)
    ? builder.op('Pad', [at.input(0), builder.ints(0, 0, pads[0], 0, 0, pads[1])])
    : at.input(0);
  const window = (tap: number): string => {
    const left = (taps - 1 - tap) * dilation;
    const end = left === 0 ? Number.MAX_SAFE_INTEGER : -left;
    const bounds = [tap * dilation, end, 2].map((position) => builder.ints(position));
    return builder.op('Unsqueeze', [builder.op('Slice', [padded, ...bounds]), builder.ints(2)]);
  };
  const windows = builder.op(
    'Concat',
    Array.from({ length: taps }, (_, tap) => window(tap)),
    { attributes: { axis: 2 } },
  );
  const turned = (value: string, perm: number[], axis: number) =>
    builder.op('Flatten', [builder.op('Transpose', [value], { attributes: { perm } })], {
      attributes: { axis },
    });
  const split = (value: string) =>
    groups === 1
      ? [value]
      : builder.multi('Split', [value], groups, { attributes: { axis: 0, num_outputs: groups } });
  const inputs = split(turned(windows, [1, 2, 0, 3], 2));
  const outputs = split(turned(at.outputGradient, [1, 0, 2], 1));
  const products = outputs.map((output, group) =>
    builder.op('Gemm', [output, inputs[group]!], { attributes: { transB: 1 } }),
  );
  const all = groups === 1 ? products[0]! : builder.op('Concat', products, { attributes: { axis: 0 } });
  return shapes.reshapeLike(all, at.input(1));
}
