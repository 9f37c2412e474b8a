import type { TrainOptions } from '../config/train-options.ts';
import { SHORT_RUN } from '../strategy/default-distance.ts';

/**
 * What to tell the user of a run in which the teacher hardly has the time to become better than the student; undefined
 * where there is nothing to say.
 * @param given options before the distance was settled
 */
export function describeShortRun(
  { strategy, distance, problemType }: TrainOptions,
  totalSteps: number,
): string | undefined {
  const squares = strategy === 'sda' && (distance ?? 'mse') === 'mse' && problemType === 'classification';
  if (!squares || totalSteps > SHORT_RUN) return undefined;
  const few = `${totalSteps} updates are few for a teacher`;
  const faster = '--strategy finetune is as good and faster';
  return distance === undefined
    ? `${few}: its logits are compared by --distance kl, the safer one in runs this short, in place of mse; ${faster}.`
    : `${few}: in runs this short --distance kl was the safer choice, and ${faster}.`;
}
