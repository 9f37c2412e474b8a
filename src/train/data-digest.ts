import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import type { EncodedExample } from '../data/example.ts';

/** A digest of encoded examples: of their tokens, their labels and their order. */
export async function dataDigest(examples: readonly EncodedExample[]): Promise<string> {
  const hash = createHash('sha256');
  for (const [index, { ids, typeIds, label }] of examples.entries()) {
    hash.update(Float64Array.of(ids.length, label)).update(ids).update(typeIds);
    if (index % 4096 === 4095) await setImmediate(); // large data must not hold up the event loop
  }
  return hash.digest('hex');
}
