import os from 'node:os';
import type { MemoryFacts } from './report.ts';
import { readText } from './system.ts';

export function memoryFacts(): MemoryFacts {
  const total = os.totalmem();
  const limit = process.constrainedMemory();
  const limits = readText('/proc/self/limits') ?? '';
  const addressSpace = Number(limits.match(/^Max address space +(\d+)/m)?.[1]);
  const hugePages = readText('/sys/kernel/mm/transparent_hugepage/enabled')?.match(/\[(\w+)\]/)?.[1];
  return {
    total,
    available: process.availableMemory(),
    // Without a limit Node says 0, or a number beyond the machine's.
    limit: limit > 0 && limit < total ? limit : null,
    addressSpace: addressSpace > 0 ? addressSpace : null,
    hugePages: hugePages ?? null,
  };
}
