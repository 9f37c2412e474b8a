import { SesdError } from '../errors.ts';

/** The command that goes on with the run in a folder. */
export function resumeCommand(runFolder: string): string {
  const plain = /^[\w./-]+$/.test(runFolder);
  return `npx sesd-train --resume ${plain ? runFolder : JSON.stringify(runFolder)}`;
}

/** The error of a run that has begun: one that could not write can be gone on with, for what it has written stays good. */
export function withWayOn(error: unknown, runFolder: string): unknown {
  if (!(error instanceof SesdError) || error.code !== 'SESD_OUTPUT') return error;
  const hint = `Free some space or check the permissions, then go on with: ${resumeCommand(runFolder)}`;
  return new SesdError(error.code, error.message, { hint, cause: error });
}
