import { SesdError } from '../errors.ts';
import type { Example } from './example.ts';
import { shuffled } from './shuffle.ts';

/**
 * Sets part of the training examples aside as a development set. Every label keeps its share (the largest
 * remainders take what rounding leaves) and at least one example to train on, unless `stratified` is false, as for
 * labels that are numbers. Both parts stay in the file's order.
 * @param fraction between 0 and 1; round(fraction · N) examples are set aside, at least one
 * @throws SesdError SESD_USAGE when the fraction is not between 0 and 1, SESD_BAD_DATA when nothing can be set aside
 */
export function splitDev(
  examples: readonly Example[],
  fraction: number,
  seed: number,
  { stratified = true } = {},
): { train: Example[]; dev: Example[] } {
  if (!(fraction > 0 && fraction < 1)) {
    throw new SesdError('SESD_USAGE', `--dev ${fraction}: expected a number between 0 and 1`, {
      hint: 'Give the part of the training file to set aside, as in --dev 0.1.',
    });
  }
  const groups = new Map<string, number[]>();
  for (const index of shuffled(examples.length, seed, 0)) {
    const label = (stratified && examples[index]?.label) || '';
    const group = groups.get(label);
    if (group) group.push(index);
    else groups.set(label, [index]);
  }

  // By label, so that ties do not depend on the shuffle.
  const quotas = [...groups]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, members]) => {
      const share = fraction * members.length;
      return { members, share, take: Math.min(Math.floor(share), members.length - 1) };
    });
  const wanted = Math.max(1, Math.round(fraction * examples.length));
  for (let taken = quotas.reduce((sum, { take }) => sum + take, 0); taken < wanted; taken++) {
    const able = quotas.filter(({ take, members }) => take < members.length - 1);
    if (able.length === 0) break;
    able.reduce((best, each) => (each.share - each.take > best.share - best.take ? each : best)).take++;
  }

  const aside = new Set(quotas.flatMap(({ members, take }) => members.slice(0, take)));
  if (aside.size === 0) {
    throw new SesdError(
      'SESD_BAD_DATA',
      `--dev ${fraction}: ${examples.length} examples are too few to split`,
      {
        hint: 'Give a development file with --dev FILE, or more examples per label.',
      },
    );
  }
  return {
    train: examples.filter((_, index) => !aside.has(index)),
    dev: examples.filter((_, index) => aside.has(index)),
  };
}
