/** One row of a data file, before tokenization. */
export interface Example {
  text: string;
  pair?: string;
  /** As written in the file; absent in files to predict. */
  label?: string;
  /** 1-based line of the file it came from (the line it starts on; in Parquet its row), for error messages. */
  line: number;
}

/** A tokenized example, truncated, with special tokens, not padded. */
export interface EncodedExample {
  ids: Int32Array;
  typeIds: Int32Array;
  /** Class index, or the number a regression predicts; −1 when unlabelled. */
  label: number;
}
