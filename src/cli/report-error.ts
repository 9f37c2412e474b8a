import { SesdError } from '../errors.ts';
import type { OutputStream } from './streams.ts';

/**
 * Tells the user what went wrong, as one paragraph; a stack trace comes with SESD_DEBUG=1 only.
 * @returns the exit code the process should end with
 */
export function reportError(error: unknown, err: OutputStream): number {
  if (process.env.SESD_DEBUG === '1') err.line(debugText(error));
  if (error instanceof SesdError) {
    err.line(`sesd-train: ${withStop(error.message)}${error.hint === undefined ? '' : ` ${error.hint}`}`);
    return error.exitCode;
  }
  const message = error instanceof Error ? error.message : String(error);
  err.line(`sesd-train: ${withStop(message)}`);
  // The system said no: a full disk, a folder without permission. Anything else we should have foreseen.
  if ((error as NodeJS.ErrnoException | null)?.syscall === undefined) {
    err.line('This is a bug in sesd-train. Run again with SESD_DEBUG=1 for a stack trace to report.');
  }
  return 1;
}

function withStop(sentence: string): string {
  return /[.!?:]$/.test(sentence) ? sentence : `${sentence}.`;
}

function debugText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? '' : `\nCaused by: ${debugText(error.cause)}`;
  return `${error.stack ?? error.message}${cause}`;
}
