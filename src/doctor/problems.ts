import type { AddonFile } from '../engine/backends/load-addon.ts';
import { formatBytes } from '../train/format-bytes.ts';
import type { DoctorReport, Part, Problem, SelfTestFacts } from './report.ts';

export type Facts = Omit<DoctorReport, 'ok' | 'problems'>;

const gigabyte = 1e9;

/** What is wrong with a machine, beside what could not be loaded or computed. */
export function findProblems(facts: Facts): Problem[] {
  return [
    ...ofNode(facts),
    ...ofCpu(facts),
    ...ofMemory(facts),
    ...ofDisk(facts),
    ...ofAddon(facts),
    ...ofRuntime(facts),
    ...ofSelfTest(facts),
  ];
}

function error(about: Part, message: string, fix: string | null): Problem {
  return { about, severity: 'error', message, fix };
}

function warning(about: Part, message: string, fix: string | null): Problem {
  return { about, severity: 'warning', message, fix };
}

function ofNode({ node }: Facts): Problem[] {
  if (isSupported(node.version, node.required)) return [];
  return [
    error(
      'node',
      `Node ${node.version} is not supported: expected ${node.required}`,
      'nvm install 22, or another way to a current Node',
    ),
  ];
}

/** @param required "^20.19.0 || >=22.12.0": carets and lower bounds */
export function isSupported(version: string, required: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return required.split('||').some((range) => {
    const [, kind, low, least] = range.trim().match(/^(\^|>=)(\d+)\.(\d+)/)!;
    const sameMajor = major === Number(low);
    return sameMajor ? minor >= Number(least) : kind === '>=' && major > Number(low);
  });
}

function ofCpu({ cpu, environment, addon }: Facts): Problem[] {
  const found: Problem[] = [];
  if (cpu.quota !== null && cpu.quota < cpu.available - 0.5) {
    const threads = Math.max(1, Math.floor(cpu.quota));
    found.push(
      warning(
        'cpu',
        `the container may use ${cpu.quota} cores' worth of time, and ${cpu.available} threads would wait for each other`,
        `sesd-train --threads ${threads} …`,
      ),
    );
  }
  if (environment.SESD_SIMD && addon.simd) {
    found.push(warning('cpu', `SESD_SIMD holds the kernels to ${addon.simd}`, 'unset SESD_SIMD'));
  }
  return found;
}

function ofMemory({ memory }: Facts): Problem[] {
  const found: Problem[] = [];
  if (memory.available < 3 * gigabyte) {
    found.push(
      warning(
        'memory',
        `${formatBytes(memory.available)} are available; a BERT-base takes about 3 GB`,
        'free memory, or train a smaller model, with --strategy finetune and a smaller --batch-size',
      ),
    );
  }
  if (memory.addressSpace !== null) {
    const limit = formatBytes(memory.addressSpace);
    found.push(warning('memory', `the shell limits address space to ${limit}`, 'ulimit -v unlimited'));
  }
  return found;
}

/** How a folder is exchanged for another. */
const elsewhere = {
  runs: 'sesd-train --output DIR …, with a folder on another disk',
  temporary: 'set TMPDIR to a folder that can be written',
  cache: 'set XDG_CACHE_HOME to a folder that can be written',
};

function ofDisk({ disk, addon }: Facts): Problem[] {
  return disk.flatMap(({ use, path, free, writable }) => {
    // The cache is for an addon that is built here.
    if (use === 'cache' && addon.origin !== 'cache' && addon.file !== null) return [];
    if (!writable) return [warning('disk', `${path} cannot be written (${use})`, elsewhere[use])];
    if (use !== 'runs' || free === null || free >= 3 * gigabyte) return [];
    const message = `${formatBytes(free)} are free in ${path}; the checkpoints and model of a BERT-base take about 3 GB`;
    return [warning('disk', message, elsewhere[use])];
  });
}

function ofAddon({ addon, version }: Facts): Problem[] {
  return addon.refused.map(({ file, origin, reason }) =>
    warning('addon', `${file} does not load: ${reason}`, restoreAddon({ file, origin }, version)),
  );
}

/** How an addon that is damaged, or made for another system, is made anew. */
export function restoreAddon({ file, origin }: AddonFile, version: string): string {
  switch (origin) {
    case 'checkout':
      return 'npm run build:native';
    case 'package':
      return `npm install --force sesd-train@${version}`;
    case 'cache':
      return `delete ${file}, and it is built again`;
  }
}

function ofRuntime({ runtime }: Facts): Problem[] {
  const { source, packageVersion, packageExpected } = runtime;
  if (source !== 'onnxruntime-node' || packageVersion === null || packageVersion === packageExpected)
    return [];
  return [
    warning(
      'runtime',
      `onnxruntime-node ${packageVersion} is installed; tested is ${packageExpected}`,
      `npm install onnxruntime-node@${packageExpected}`,
    ),
  ];
}

function ofSelfTest({ selfTest }: Facts): Problem[] {
  if (selfTest === null || selfTest.passed) return [];
  const numbers = ({ loss, gradNorm, lossAfter }: SelfTestFacts['expected']) =>
    `loss ${loss}, norm of the gradient ${gradNorm}, loss after the update ${lossAfter}`;
  return [
    error(
      'selfTest',
      `the step gave ${numbers(selfTest)}; expected ${numbers(selfTest.expected)}`,
      'SESD_SIMD=portable sesd-train doctor, and report both',
    ),
  ];
}
