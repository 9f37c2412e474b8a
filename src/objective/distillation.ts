import { crossEntropy } from './cross-entropy.ts';
import { distances } from './distance.ts';
import type { LabelLoss, Objective } from './objective.ts';

/**
 * CE(z, y) + λ · distance(z, z̄); plain cross-entropy, and `distill` 0, where there is no teacher. A regression has
 * its `labelLoss` in place of CE, and logs it as `ce`.
 * Source: arXiv 2002.10345, the loss of BERT_SDA.
 */
export function distillationObjective(options: {
  lambda: number;
  distance: keyof typeof distances;
  temperature: number;
  labelLoss?: LabelLoss | undefined;
}): Objective {
  const { lambda, temperature, labelLoss = crossEntropy() } = options;
  const distanceOf = distances[options.distance];
  return ({ logits, teacherLogits, labels, rows, classes }) => {
    const dlogits = new Float64Array(rows * classes);
    const ce = labelLoss(logits, labels, classes, dlogits);
    const distill = teacherLogits
      ? distanceOf(logits, teacherLogits, dlogits, { classes, temperature, weight: lambda })
      : 0;
    return { loss: ce + lambda * distill, parts: { ce, distill }, dlogits };
  };
}
