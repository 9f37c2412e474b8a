import { classOf } from '../code-point-class.ts';
import { normalizing } from '../code-points.ts';
import type { Normalizer } from './normalizer.ts';

const ascii = /^\p{ASCII}*$/u;
const normalizingRuns = new RegExp(`[${classOf(normalizing)}]+`, 'gu');
const longMarkRuns = /\p{M}{64,}/gu;

/**
 * A Unicode normalization form. The Rust library's tables are of an old Unicode version: code points it does not
 * know stay as they are and keep their neighbours apart, so only runs of those it knows are given to JavaScript.
 */
export function unicodeForm(form: 'NFC' | 'NFD' | 'NFKC' | 'NFKD'): Normalizer {
  return (text) => {
    if (ascii.test(text)) return text;
    return text.replace(normalizingRuns, (run) => run.replace(longMarkRuns, sorted).normalize(form));
  };
}

/**
 * Marks in their canonical order. JavaScript's normalize puts them in order by insertion: for a run of n marks that
 * takes n² steps, minutes for one of hostile length; marks that are in order already take n.
 */
function sorted(marks: string): string {
  let result = '';
  let pending: string[] = [];
  const flush = () => {
    result += pending.sort(order).join('');
    pending = [];
  };
  for (const mark of marks) {
    for (const part of mark.normalize('NFD')) {
      if (isStarter(part)) {
        flush();
        result += part;
      } else {
        pending.push(part);
      }
    }
  }
  flush();
  return result;
}

/** Two marks by their combining classes, which JavaScript does not tell but follows. */
const order = remembered((a: string, b: string) => {
  if (`${a}${b}`.normalize('NFD') !== `${a}${b}`) return 1;
  return `${b}${a}`.normalize('NFD') === `${b}${a}` ? 0 : -1;
});

/** Whether a mark keeps its place: it goes neither behind one of the lowest class nor before one of a high class. */
const isStarter = remembered((mark: string) => {
  const pairs = [`${mark}\u0334`, `\u0345${mark}`];
  return pairs.every((pair) => pair.normalize('NFD') === pair);
});

/** The function with a memory of its answers: there are some thousand marks, and few in one text. */
function remembered<Args extends string[], Result>(
  compute: (...args: Args) => Result,
): (...args: Args) => Result {
  const known = new Map<string, Result>();
  return (...args) => {
    const key = args.join(' ');
    const found = known.get(key);
    if (found !== undefined) return found;
    const result = compute(...args);
    if (known.size < 10_000) known.set(key, result);
    return result;
  };
}
