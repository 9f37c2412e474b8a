import { SesdError } from '../../src/errors.ts';
import type { FileWatch } from './watch-files.ts';

/** What became of a case: read, refused as bad input should be, or anything else. */
export type Verdict = { kind: 'read' | 'refused' } | { kind: 'failed'; why: string; stack: string };

const MOST_MS = 5000;
const mostBytes = (size: number) => 4 * size + 200 * 2 ** 20;

/**
 * Runs one case.
 * @param size bytes of its files
 * @param watch sees the files that are opened
 */
export async function judge(run: () => Promise<void>, size: number, watch: FileWatch): Promise<Verdict> {
  const failed = (why: string, stack = '') => ({ kind: 'failed', why, stack }) as const;
  watch.start();
  const began = performance.now();
  const before = process.memoryUsage.rss();
  const peakBefore = peak();
  let verdict: Verdict = { kind: 'read' };
  try {
    await run();
  } catch (error) {
    verdict = { kind: 'refused' };
    if (!(error instanceof SesdError)) {
      const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
      return failed(`${name}: ${message}`, stack);
    }
    if (error.message.trim() === '') return failed('a SesdError without a message', error.stack);
  }
  const ms = performance.now() - began;
  if (ms > MOST_MS) return failed(`it took ${Math.round(ms)} ms`);
  const grown = peak() - before;
  if (peak() > peakBefore && grown > mostBytes(size)) {
    return failed(`it took ${Math.round(grown / 2 ** 20)} MB for files of ${size} bytes`);
  }
  const outside = watch.outside();
  if (outside !== undefined) return failed(`it opened ${outside}`);
  return verdict;
}

/** The most memory the process ever had, in bytes. */
function peak(): number {
  return process.resourceUsage().maxRSS * 1024;
}
