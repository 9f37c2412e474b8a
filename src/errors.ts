/** What went wrong, by name. Codes are part of the API: callers switch on them. */
export type SesdErrorCode =
  | 'SESD_USAGE' // wrong flag, option or configuration
  | 'SESD_BAD_DATA' // a data file that cannot be used
  | 'SESD_BAD_MODEL' // a model file that cannot be used
  | 'SESD_BAD_TOKENIZER'
  | 'SESD_UNSUPPORTED_OP'
  | 'SESD_NO_GRADIENT_RULE'
  | 'SESD_OUTPUT' // output folder cannot be written, or is taken
  | 'SESD_CHECKPOINT'
  | 'SESD_RUNTIME' // the native runtime failed
  | 'SESD_NATIVE_LOAD' // the addon or ONNX Runtime could not be loaded or built
  | 'SESD_NUMERICS' // loss or gradient is not finite
  | 'SESD_ABORTED';

const badInput: ReadonlySet<SesdErrorCode> = new Set([
  'SESD_USAGE',
  'SESD_BAD_DATA',
  'SESD_BAD_MODEL',
  'SESD_BAD_TOKENIZER',
  'SESD_UNSUPPORTED_OP',
  'SESD_NO_GRADIENT_RULE',
  'SESD_OUTPUT',
  'SESD_CHECKPOINT',
]);

export interface SesdErrorOptions {
  /** The way out, as a sentence for the user. */
  hint?: string;
  cause?: unknown;
}

/** Every error this package throws on purpose. `message` names what was expected and found; `hint` the way out. */
export class SesdError extends Error {
  override readonly name = 'SesdError';
  readonly code: SesdErrorCode;
  readonly hint: string | undefined;

  constructor(code: SesdErrorCode, message: string, options: SesdErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint;
  }

  /** The process exit code a command line ends with: 2 for usage and bad input, 130 when interrupted, else 1. */
  get exitCode(): 1 | 2 | 130 {
    if (this.code === 'SESD_ABORTED') return 130;
    return badInput.has(this.code) ? 2 : 1;
  }
}
