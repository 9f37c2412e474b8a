import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { GpuFacts } from './report.ts';

const fields = ['driver_version', 'name', 'memory.total', 'compute_cap'];
const patience = 10_000; // ms; a broken driver lets nvidia-smi hang

/**
 * NVIDIA's driver and the GPUs it knows, as nvidia-smi has them.
 * @param driver the version to tell where there is no nvidia-smi
 */
export async function gpuFacts(driver: string | null): Promise<GpuFacts> {
  try {
    const query = [`--query-gpu=${fields.join(',')}`, '--format=csv,noheader,nounits'];
    const { stdout } = await promisify(execFile)('nvidia-smi', query, { timeout: patience });
    const devices = parseGpus(stdout);
    return {
      driver: devices[0]?.driver ?? driver,
      devices: devices.map(({ driver: _, ...device }) => device),
    };
  } catch {
    return { driver, devices: [] };
  }
}

/** Lines of `nvidia-smi --query-gpu=driver_version,name,memory.total,compute_cap --format=csv,noheader,nounits`. */
export function parseGpus(csv: string): (GpuFacts['devices'][number] & { driver: string })[] {
  return csv
    .split('\n')
    .map((line) => line.split(',').map((cell) => cell.trim()))
    .filter(({ length }) => length === fields.length)
    .map(([driver, name, mebibytes, computeCapability]) => ({
      driver: driver!,
      name: name!,
      memory: Number(mebibytes) * 2 ** 20,
      computeCapability: computeCapability!,
    }));
}
