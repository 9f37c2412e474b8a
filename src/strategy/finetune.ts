import type { CreateParts } from './composition.ts';

/** Plain fine-tuning: cross-entropy with the labels, no teacher and no averages. */
export const finetune: CreateParts = async () => ({ members: [] });
