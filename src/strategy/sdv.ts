import { Pool } from '../ensemble/pool.ts';
import type { CreateParts } from './composition.ts';
import { poolIntake, poolOf } from './pool.ts';

/**
 * Self-distillation with voted outputs (BERT_SDV of arXiv 2002.10345): the teacher's logits are the mean of those of the
 * past students that sda would average, 1/K · Σ_{k=1..K} f(x; θ_{t−k}). It costs one forward pass for each of them.
 */
export const sdv: CreateParts = async (context) => {
  const { engine } = context;
  const pool = new Pool(engine, poolOf(context));
  return {
    teacher: {
      async teach(batch, signal) {
        const votes: Float32Array[] = [];
        for (const weights of pool.chosen) votes.push((await engine.infer(weights, batch, signal)).data);
        return meanOfVotes(votes);
      },
    },
    members: [{ name: 'pool', ensemble: pool, intake: poolIntake(context) }],
  };
};

/** The element-wise mean, summed in float64. */
function meanOfVotes(votes: readonly Float32Array[]): Float32Array {
  return votes[0]!.map((_, i) => votes.reduce((sum, logits) => sum + logits[i]!, 0) / votes.length);
}
