import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { GpuFacts } from './report.ts';
import { readText } from './system.ts';

const fields = ['driver_version', 'name', 'memory.total', 'compute_cap'];
const patience = 10_000; // ms; a broken driver lets nvidia-smi hang

/** NVIDIA's driver and the GPUs it knows. */
export async function gpuFacts(): Promise<GpuFacts> {
  try {
    const { stdout } = await promisify(execFile)(
      'nvidia-smi',
      [`--query-gpu=${fields.join(',')}`, '--format=csv,noheader,nounits'],
      { timeout: patience },
    );
    return parseGpus(stdout);
  } catch {
    // Without the tool the kernel module still tells its version.
    return { driver: driverOf(readText('/proc/driver/nvidia/version') ?? ''), devices: [] };
  }
}

/** Lines of `nvidia-smi --query-gpu=driver_version,name,memory.total,compute_cap --format=csv,noheader,nounits`. */
export function parseGpus(csv: string): GpuFacts {
  const rows = csv
    .split('\n')
    .map((line) => line.split(',').map((cell) => cell.trim()))
    .filter(({ length }) => length === fields.length);
  return {
    driver: rows[0]?.[0] ?? null,
    // MiB
    devices: rows.map(([, name, memory, computeCapability]) => ({
      name: name!,
      memory: Number(memory) * 2 ** 20,
      computeCapability: computeCapability!,
    })),
  };
}

/** The version in the text of /proc/driver/nvidia/version. */
export function driverOf(text: string): string | null {
  return text.match(/Kernel Module.*?\s(\d+(?:\.\d+)+)\s/)?.[1] ?? null;
}
