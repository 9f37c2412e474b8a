/** Turns words into token ids. */
export interface Model {
  /** The id of a token that is spelled out, added tokens not among them. */
  idOf(token: string): number | undefined;
  /** How many tokens there are. */
  readonly size: number;
  /** One more than the largest id. */
  readonly idLimit: number;
  /** The ids of a word's tokens. @throws SesdError SESD_BAD_TOKENIZER when a character is unknown and no token is for it */
  encode(word: string): readonly number[];
}
