import { SesdError } from '../errors.ts';
import { shellWord } from './shell-word.ts';

/** The command that goes on with the run in a folder. */
export function resumeCommand(runFolder: string): string {
  return `npx sesd-train --resume ${shellWord(runFolder)}`;
}

/** The error of a run that has begun: one that could not write can be gone on with, for what it has written stays good. */
export function withWayOn(error: unknown, runFolder: string): unknown {
  if (!(error instanceof SesdError) || error.code !== 'SESD_OUTPUT') return error;
  const hint = `Free some space or check the permissions, then go on with: ${resumeCommand(runFolder)}`;
  return new SesdError(error.code, error.message, { hint, cause: error });
}
