import { SesdError } from '../errors.ts';

/** Where a command writes. Results go to `out`; progress, notices and errors to `err`. */
export interface Streams {
  out: OutputStream;
  err: OutputStream;
}

/** A writable stream that outlives its reader: once that is gone, writing does nothing. */
export class OutputStream {
  readonly #stream: NodeJS.WriteStream;
  #closed = false;
  #failure: Error | undefined;

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
    stream.on('error', (error: NodeJS.ErrnoException) => {
      // `sesd-train predict … | head` has read enough; that is no error of ours.
      if (error.code === 'EPIPE') this.#closed = true;
      else this.#failure = error;
    });
  }

  /** The reader has gone away. */
  get isClosed(): boolean {
    return this.#closed;
  }

  get isTerminal(): boolean {
    return this.#stream.isTTY === true && process.env.TERM !== 'dumb';
  }

  /** Width of the terminal; 80 where there is none. */
  get columns(): number {
    return this.#stream.columns || 80; // 0 where the terminal does not say
  }

  /** @throws SesdError SESD_OUTPUT when an earlier write failed, as on a full disk */
  write(text: string): void {
    if (this.#canWrite()) this.#stream.write(text);
  }

  line(text = ''): void {
    this.write(`${text}\n`);
  }

  /** Resolves when the text is written, or its reader is gone. @throws SesdError SESD_OUTPUT */
  async writeAll(text: string): Promise<void> {
    if (!this.#canWrite()) return;
    await new Promise<void>((resolve) => this.#stream.write(text, () => resolve()));
    this.#canWrite();
  }

  #canWrite(): boolean {
    if (this.#failure !== undefined) {
      throw new SesdError('SESD_OUTPUT', `The output cannot be written: ${this.#failure.message}.`, {
        cause: this.#failure,
      });
    }
    return !this.#closed;
  }
}
