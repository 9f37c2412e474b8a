import { SesdError } from '../errors.ts';
import type { OutputStream } from './streams.ts';

/**
 * Tells the user what went wrong, as one paragraph; a stack trace comes with SESD_DEBUG=1 only.
 * @returns the exit code the process should end with
 */
export function reportError(error: unknown, err: OutputStream): number {
  if (process.env.SESD_DEBUG === '1') err.line(debugText(error));
  if (error instanceof SesdError) {
    const hint = error.hint === undefined ? '' : ` ${error.hint}`;
    err.line(printable(`sesd-train: ${withStop(error.message)}${hint}`));
    return error.exitCode;
  }
  const message = error instanceof Error ? error.message : String(error);
  err.line(printable(`sesd-train: ${withStop(message)}`));
  // The system said no: a full disk, a folder without permission. Anything else we should have foreseen.
  if ((error as NodeJS.ErrnoException | null)?.syscall === undefined) {
    err.line('This is a bug in sesd-train. Run again with SESD_DEBUG=1 for a stack trace to report.');
  }
  return 1;
}

/** Messages quote names from files, and those may hold what a terminal obeys. */
function printable(text: string): string {
  return text.replace(/[^\P{Cc}\n\t]|[\u202a-\u202e\u2066-\u2069]/gu, '\ufffd');
}

function withStop(sentence: string): string {
  return /[.!?:]$/.test(sentence) ? sentence : `${sentence}.`;
}

function debugText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? '' : `\nCaused by: ${debugText(error.cause)}`;
  return `${error.stack ?? error.message}${cause}`;
}
