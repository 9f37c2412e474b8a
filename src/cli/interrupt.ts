import { SesdError } from '../errors.ts';
import type { OutputStream } from './streams.ts';

/**
 * A signal that fires, with an SesdError SESD_ABORTED, at the first Ctrl-C (or SIGTERM, as from a scheduler), so that what is running can end in
 * order. The second one ends the process at once.
 */
export function interruptSignal(err: OutputStream): { signal: AbortSignal; dispose: () => void } {
  const controller = new AbortController();
  const onSignal = (): void => {
    if (controller.signal.aborted) process.exit(130);
    err.line(`${err.isTerminal ? '\n' : ''}Stopping; once more to stop at once.`);
    controller.abort(new SesdError('SESD_ABORTED', 'Interrupted.'));
  };
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  return {
    signal: controller.signal,
    dispose: () => process.off('SIGINT', onSignal).off('SIGTERM', onSignal),
  };
}
