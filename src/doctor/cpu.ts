import { spawnSync } from 'node:child_process';
import os from 'node:os';
import type { CpuFacts } from './report.ts';
import { readText } from './system.ts';

/** Instruction sets the kernels or the runtime make use of, as Linux names them. */
const relevant = [
  ...['sse4_2', 'avx', 'avx2', 'fma', 'f16c', 'avx512f', 'avx512bw', 'avx512dq', 'avx512vl', 'avx512_vnni'],
  ...['avx512_bf16', 'avx512_fp16', 'avx_vnni', 'amx_tile', 'amx_bf16', 'amx_int8'],
  ...['asimd', 'asimdhp', 'asimddp', 'bf16', 'i8mm', 'sve', 'sve2', 'sme'], // asimd is NEON
];

export function cpuFacts(): CpuFacts {
  const cpus = os.cpus();
  return {
    model: cpus[0]?.model.trim() || 'unknown',
    cores: cpus.length,
    available: os.availableParallelism(),
    quota: process.platform === 'linux' ? cpuQuota(readText) : null,
    features: cpuFeatures(),
  };
}

function cpuFeatures(): string[] | null {
  if (process.platform === 'linux') return featuresOf(readText('/proc/cpuinfo') ?? '');
  if (process.platform === 'darwin') {
    const names = ['machdep.cpu.features', 'machdep.cpu.leaf7_features', 'hw.optional'];
    return featuresOf(spawnSync('sysctl', names, { encoding: 'utf8' }).stdout ?? '');
  }
  return null;
}

/**
 * The instruction sets that matter in the text of /proc/cpuinfo, or of macOS' `sysctl`, which writes AVX2 in a list
 * and arm's as `hw.optional.arm.FEAT_BF16: 1`. null when the text has none.
 */
export function featuresOf(text: string): string[] | null {
  const arm = {
    AdvSIMD: 'asimd',
    FEAT_BF16: 'bf16',
    FEAT_I8MM: 'i8mm',
    FEAT_DotProd: 'asimddp',
    FEAT_SME: 'sme',
  };
  const words = new Set(
    text
      .toLowerCase()
      .replaceAll('avx1.0', 'avx')
      .split(/[\s:]+/),
  );
  for (const [name, feature] of Object.entries(arm))
    if (new RegExp(`${name}: 1$`, 'm').test(text)) words.add(feature);
  const found = relevant.filter((feature) => words.has(feature));
  return found.length > 0 ? found : null;
}

/**
 * How many cores the control groups of this process allow, the least of all levels; null where nothing limits it.
 * @param read reads a file; undefined where there is none
 */
export function cpuQuota(read: (file: string) => string | undefined): number | null {
  const own = read('/proc/self/cgroup')?.match(/^0::(\/.*)$/m)?.[1] ?? '/';
  const quotas: number[] = [];
  const levels = own.split('/').filter(Boolean);
  for (let depth = levels.length; depth >= 0; depth--) {
    const folder = ['/sys/fs/cgroup', ...levels.slice(0, depth)].join('/');
    const [quota, period] = (read(`${folder}/cpu.max`) ?? '').split(/\s/).map(Number);
    if (quota! > 0 && period! > 0) quotas.push(quota! / period!);
  }
  // version 1 of control groups
  const quota = Number(read('/sys/fs/cgroup/cpu/cpu.cfs_quota_us'));
  const period = Number(read('/sys/fs/cgroup/cpu/cpu.cfs_period_us'));
  if (quota > 0 && period > 0) quotas.push(quota / period);
  return quotas.length > 0 ? Math.min(...quotas) : null;
}
