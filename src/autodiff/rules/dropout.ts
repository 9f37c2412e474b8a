import { floatAttribute, intAttribute } from '../../graph/graph.ts';
import type { GradientRule, RuleContext } from '../rule.ts';

/** Dropout of ai.onnx: the identity in inference mode, otherwise dY/(1 − ratio) where the mask kept. */
export const dropout: GradientRule = (at) => {
  const { builder } = at;
  const training = at.input(2);
  const constant = training === '' ? 0 : at.constantScalar(training);
  if (constant === 0) return [at.outputGradient];
  const kept = builder.op('Where', [at.output(1), at.outputGradient, at.scalar(0)]);
  let scale = keepScale(at);
  // In inference mode the mask is all true and nothing is scaled.
  if (constant === undefined) scale = builder.op('Where', [training, scale, at.scalar(1)]);
  return [builder.op('Mul', [kept, scale])];
};

/** 1/(1 − ratio). */
function keepScale(at: RuleContext): string {
  const { builder } = at;
  const ratio = at.input(1);
  const constant = ratio === '' ? 0.5 : at.constantScalar(ratio);
  if (constant !== undefined) return at.scalar(1 / (1 - constant));
  const typed = builder.cast(ratio, at.dtype(at.input(0)));
  return builder.op('Reciprocal', [builder.op('Sub', [at.scalar(1), typed])]);
}

/** sesd::Dropout recomputes its mask from key and site: its gradient is itself. */
export const counterDropout: GradientRule = (at) => [
  at.builder.op('Dropout', [at.outputGradient, at.input(1)], {
    domain: 'sesd',
    attributes: {
      ratio: { float: floatAttribute(at.node, 'ratio', 0) },
      site: intAttribute(at.node, 'site', 0),
    },
  }),
];
