/**
 * Rewrites text before it is split.
 * @param most code units of the result (see growth.ts)
 * @throws SesdError SESD_BAD_TOKENIZER when it is longer
 */
export type Normalizer = (text: string, most: number) => string;
