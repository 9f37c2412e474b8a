/**
 * Splits text into words, which the model then takes one by one. Where text was removed before the first word, an
 * empty word is left: so the first of the words is at the start of the text.
 * @param atStart whether the text begins where the whole text begins, before anything was normalized
 * @param most code units of all words (see growth.ts)
 * @throws SesdError SESD_BAD_TOKENIZER when they have more
 */
export type PreTokenizer = (text: string, atStart: boolean, most: number) => string[];
