import { consistencyObjective, type SymmetricDistance } from '../objective/consistency.ts';
import type { CreateParts } from './composition.ts';

/** Forward passes of each example, in one batch. */
export const drawsOfRDrop = 2;

/**
 * R-Drop (Liang et al. 2021, arXiv 2106.14448): each example goes through the student twice, with dropout of its own each
 * time, and the two predictions are to agree. No teacher and no averages: each draw learns from the other.
 */
export const rDrop: CreateParts = async ({ options, labelLoss }) => {
  const { temperature } = options;
  const distance = options.distance as SymmetricDistance; // see config/check-r-drop.ts
  return {
    members: [],
    draws: drawsOfRDrop,
    objective: (lambda) => consistencyObjective({ lambda, distance, temperature, labelLoss }),
  };
};
