import { SesdError } from '../errors.ts';
import type { TrainOptions } from './train-options.ts';

/**
 * R-Drop compares two passes of the student, which dropout tells apart and neither of which is the teacher.
 * @throws SesdError SESD_USAGE when the options leave nothing to compare, or speak of past students
 */
export function checkRDrop(options: TrainOptions): void {
  if (options.strategy !== 'r-drop') return;
  const { dropout, distance, window, poolSize, poolIncludesStudent } = options;
  const fail = (message: string, hint: string) => {
    throw new SesdError('SESD_USAGE', message, { hint });
  };
  if (dropout === 0) {
    fail(
      '--dropout 0: the two passes that r-drop compares differ by nothing but dropout.',
      'Leave --dropout out, or use --strategy finetune.',
    );
  }
  if (distance === 'kl') {
    fail(
      '--distance kl: r-drop has no teacher to measure the divergence from.',
      'Use symmetric-kl, which measures it from each of the two passes to the other.',
    );
  }
  const pool =
    window !== 'all'
      ? `--window ${window}`
      : poolSize !== undefined
        ? `--pool-size ${poolSize}`
        : poolIncludesStudent
          ? '--pool-includes-student'
          : undefined;
  if (pool !== undefined)
    fail(`${pool}: r-drop learns from no past students.`, 'Leave it out, or use --strategy sda.');
}
