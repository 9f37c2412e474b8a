import type { DoctorReport, Part, Problem } from '../doctor/report.ts';
import { formatBytes } from '../train/format-bytes.ts';
import { plural } from './format.ts';

/** The lines about one part of the report; without any there is nothing to tell of it. */
interface Section {
  about: Part;
  name: string;
  lines: string[];
  /** It is not there, which may be all right. */
  absent?: boolean;
}

/** The report as aligned lines, each problem and what to do about it below what it is about. */
export function describeDoctor(report: DoctorReport): string {
  const sections = sectionsOf(report).filter(({ lines }) => lines.length > 0);
  const lines = sections.flatMap((section) => {
    const problems = report.problems.filter(({ about }) => about === section.about);
    const [first, ...more] = [
      ...section.lines,
      ...problems.flatMap(({ message, fix }) => [message, ...(fix === null ? [] : [`-> ${fix}`])]),
    ];
    return [row(markOf(section, problems), section.name, first!), ...more.map((text) => row('', '', text))];
  });
  return `${lines.join('\n')}\n`;
}

function row(mark: string, name: string, text: string): string {
  return `${mark.padEnd(6)}${name.padEnd(14)}${text}`;
}

function markOf({ absent }: Section, problems: readonly Problem[]): string {
  if (problems.length === 0) return absent ? '-' : 'ok';
  return problems.some(({ severity }) => severity === 'error') ? 'FAIL' : 'warn';
}

function sectionsOf(report: DoctorReport): Section[] {
  const { version, node, disk, environment, selfTest } = report;
  return [
    {
      about: 'node',
      name: 'Versions',
      lines: [`sesd-train ${version}, Node ${node.version} (${node.executable})`],
    },
    { about: 'system', name: 'System', lines: [systemText(report)] },
    { about: 'cpu', name: 'CPU', lines: cpuLines(report) },
    { about: 'memory', name: 'Memory', lines: [memoryText(report)] },
    {
      about: 'disk',
      name: 'Disk',
      lines: disk.map(
        ({ use, path, free }) =>
          `${free === null ? 'unknown' : formatBytes(free)} free for ${diskUses[use]}: ${path}`,
      ),
    },
    {
      about: 'environment',
      name: 'Environment',
      lines: Object.entries(environment).map(([name, value]) => `${name}=${value}`),
    },
    addonSection(report),
    runtimeSection(report),
    gpuSection(report),
    cudaSection(report),
    {
      about: 'selfTest',
      name: 'Self-test',
      absent: selfTest === null,
      lines: [
        selfTest === null
          ? 'not made'
          : `loss ${selfTest.loss.toFixed(4)}, after a step ${selfTest.lossAfter.toFixed(4)}; ` +
            `${Math.round(1000 * selfTest.step)} ms, ${selfTest.setUp.toFixed(2)} s to set up`,
      ],
    },
  ];
}

const diskUses = { runs: 'runs', temporary: 'temporary files', cache: 'an addon built here' };

function systemText({ system: { name, platform, arch, kernel, libc } }: DoctorReport): string {
  const library = libc === null ? [] : [`${libc.name} ${libc.version ?? '(version unknown)'}`];
  return [name, `${platform}-${arch}`, `kernel ${kernel}`, ...library].join(', ');
}

function cpuLines({ cpu }: DoctorReport): string[] {
  const cores = [
    cpu.model,
    plural(cpu.cores, 'core'),
    ...(cpu.available === cpu.cores ? [] : [`${cpu.available} available`]),
    ...(cpu.quota === null ? [] : [`a quota of ${cpu.quota}`]),
  ];
  return [cores.join(', '), ...(cpu.features === null ? [] : [cpu.features.join(' ')])];
}

function memoryText({ memory: { available, total, limit, hugePages } }: DoctorReport): string {
  return [
    `${formatBytes(available)} of ${formatBytes(total)} available`,
    ...(limit === null ? [] : [`the container may use ${formatBytes(limit)}`]),
    ...(hugePages === null ? [] : [`huge pages: ${hugePages}`]),
  ].join(', ');
}

const origins = { checkout: 'of this checkout', package: 'of the package', cache: 'built on this machine' };

function addonSection({ addon: { file, origin, simd } }: DoctorReport): Section {
  const kernels = simd === null ? '' : `, kernels for ${simd}`;
  return {
    about: 'addon',
    name: 'Addon',
    absent: file === null,
    lines: [origin === null ? 'not loaded' : `${origins[origin]}${kernels}: ${file}`],
  };
}

function runtimeSection({
  runtime: { file, version, source, providers, trainingApi },
}: DoctorReport): Section {
  return {
    about: 'runtime',
    name: 'ONNX Runtime',
    absent: version === null,
    lines: [
      ...(file === null ? ['none'] : [`${version ?? 'not loaded'}, from ${source}: ${file}`]),
      ...(providers === null ? [] : [`compiled with ${providers.join(', ')}`]),
      ...(trainingApi === null
        ? []
        : [`training API: ${trainingApi ? 'yes' : 'no (--backend ort-training needs one that has it)'}`]),
    ],
  };
}

function gpuSection({ gpu: { driver, devices } }: DoctorReport): Section {
  if (driver === null) return { about: 'gpu', name: 'GPU', absent: true, lines: ['no NVIDIA driver'] };
  const cards = devices.map(
    ({ name, memory, computeCapability }) =>
      `${name}, ${formatBytes(memory)}, compute capability ${computeCapability}`,
  );
  return {
    about: 'gpu',
    name: 'GPU',
    lines: [`NVIDIA driver ${driver}`, ...(cards.length > 0 ? cards : ['nvidia-smi lists no device'])],
  };
}

function cudaSection({ cuda }: DoctorReport): Section {
  const found = cuda?.libraries.filter(({ file }) => file !== null) ?? [];
  return {
    about: 'cuda',
    name: 'CUDA',
    absent: !cuda?.provider,
    lines: !cuda
      ? []
      : !cuda.provider
        ? ['no provider of this ONNX Runtime']
        : [
            `provider ${cuda.provider.version}: ${cuda.provider.file}`,
            ...found.map(({ name, version, file }) => `${name}${version ? ` (${version})` : ''}: ${file}`),
          ],
  };
}
