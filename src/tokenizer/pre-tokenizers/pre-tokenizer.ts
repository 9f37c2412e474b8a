/**
 * Splits text into words, which the model then takes one by one. Where text was removed before the first word, an
 * empty word is left: so the first of the words is at the start of the text.
 * @param atStart whether the text begins where the whole text begins, before anything was normalized
 */
export type PreTokenizer = (text: string, atStart: boolean) => string[];
