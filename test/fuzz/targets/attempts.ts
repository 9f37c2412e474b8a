import { SesdError } from '../../../src/errors.ts';

/** Makes every attempt, though some are refused; throws a refusal when all are. */
export async function attemptAll(attempts: readonly (() => unknown)[]): Promise<void> {
  const refusals: SesdError[] = [];
  for (const attempt of attempts) {
    try {
      await attempt();
    } catch (error) {
      if (!(error instanceof SesdError)) throw error;
      refusals.push(error);
    }
  }
  if (refusals.length === attempts.length) throw refusals.at(-1);
}
