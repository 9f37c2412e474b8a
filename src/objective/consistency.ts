import { crossEntropy } from './cross-entropy.ts';
import { distances } from './distance.ts';
import type { LabelLoss, Objective } from './objective.ts';

/** Distances whose sides can be exchanged: what one of them is told of the other is told of both. */
export type SymmetricDistance = Exclude<keyof typeof distances, 'kl'>;

/**
 * The loss of R-Drop, for two draws of each example: rows i and B + i of 2B are example i, each with dropout of its own.
 * CE(z, y) as the mean over the 2B rows, plus λ times the mean over the B examples of ½ · D(z₁, z₂), which is logged as
 * `distill`. With D symmetric-kl that is ½ · (KL(p₁ ‖ p₂) + KL(p₂ ‖ p₁)). Both draws get gradients. A regression has its
 * `labelLoss` in place of CE, and logs it as `ce`.
 *
 * Source: Liang et al. 2021 (arXiv 2106.14448), whose loss is twice this one: it adds the cross-entropies of the two
 * draws up, −log p₁(y) − log p₂(y) + α · ½ · (…), so that α is 2λ. The recipe in the authors' README halves the sum,
 * as is done here: its α is λ.
 */
export function consistencyObjective(options: {
  lambda: number;
  distance: SymmetricDistance;
  temperature: number;
  labelLoss?: LabelLoss | undefined;
}): Objective {
  const { lambda, temperature, labelLoss = crossEntropy() } = options;
  const distanceOf = distances[options.distance];
  return ({ logits, labels, rows, classes }) => {
    const dlogits = new Float64Array(rows * classes);
    const ce = labelLoss(logits, labels, classes, dlogits);
    const half = dlogits.length / 2;
    const [first, second] = [logits.subarray(0, half), logits.subarray(half)];
    const shared = { classes, temperature, weight: lambda / 2 };
    const distill = distanceOf(first, second, dlogits.subarray(0, half), shared) / 2;
    distanceOf(second, first, dlogits.subarray(half), shared); // the same number, for the other side's gradient
    return { loss: ce + lambda * distill, parts: { ce, distill }, dlogits };
  };
}
