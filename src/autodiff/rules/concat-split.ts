import { intAttribute } from '../../graph/graph.ts';
import type { GradientRule, RuleContext } from '../rule.ts';

export const concat: GradientRule = (at) => {
  const { builder, shapes, outputGradient } = at;
  const rank = at.rank(at.output(0));
  const axis = intAttribute(at.node, 'axis', 0) + (intAttribute(at.node, 'axis', 0) < 0 ? rank : 0);
  const sizes = at.node.inputs.map((input) => at.dims(input)?.[axis]);
  const trained = at.node.inputs.flatMap((_, index) => (at.needs(index) ? [index] : []));
  const before = sizes.slice(0, trained[0]! + 1);
  if (trained.length === 1 && before.every((size) => typeof size === 'number')) {
    const end = before.reduce((sum, size) => sum + size, 0);
    const bounds = [end - before.at(-1)!, end, axis].map((position) => builder.ints(position));
    const part = builder.op('Slice', [outputGradient, ...bounds]);
    return at.node.inputs.map((_, index) => (index === trained[0] ? part : undefined));
  }
  const lengths = sizes.every((size) => typeof size === 'number')
    ? builder.ints(...sizes)
    : shapes.concat(...at.node.inputs.map((input) => shapes.dim(input, axis)));
  return builder.multi('Split', [outputGradient, lengths], at.node.inputs.length, { attributes: { axis } });
};

export const split: GradientRule = (at) => {
  const parts = at.node.outputs.map((output, index) => at.outputGradients[index] ?? zerosLike(at, output));
  const axis = intAttribute(at.node, 'axis', 0);
  return [at.builder.op('Concat', parts, { attributes: { axis } })];
};

function zerosLike(at: RuleContext, name: string): string {
  return at.shapes.zeros(at.shapes.of(name), at.dtype(name));
}
