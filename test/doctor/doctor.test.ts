import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { DoctorReport } from '../../src/doctor/report.ts';
import { hasDriver } from '../../src/engine/backends/cuda/find-cuda.ts';
import { type Finished, type SpawnOptions, sesdTrain } from '../cli/sesd-train.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const target = `${process.platform}-${process.arch}`;

const parse = ({ stdout }: Finished) => JSON.parse(stdout) as DoctorReport;
const examine = async (args: string[] = [], options: SpawnOptions = {}) => {
  const finished = await sesdTrain(['doctor', '--json', ...args], options);
  return { ...finished, report: parse(finished) };
};
const errors = ({ problems }: DoctorReport) => problems.filter(({ severity }) => severity === 'error');

describe('doctor', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'sesd-doctor-'));
  });
  after(() => rmSync(folder, { recursive: true }));

  test('finds that training works here', async () => {
    const { code, stderr, report } = await examine();
    assert.deepEqual([code, stderr, errors(report)], [0, '', []]);
    assert.equal(report.ok, true);
    assert.deepEqual(Object.keys(report).sort(), [
      ...['addon', 'cpu', 'cuda', 'disk', 'environment', 'gpu', 'memory', 'node', 'ok', 'problems'],
      ...['runtime', 'selfTest', 'system', 'version'],
    ]);
    assert.equal(report.node.version, process.versions.node);
    assert.equal(report.addon.origin, 'checkout');
    assert.equal(report.runtime.source, 'onnxruntime-node');
    assert.equal(report.runtime.version, report.runtime.packageVersion);
    assert.equal(report.runtime.trainingApi, false);
    assert.ok(report.runtime.providers!.includes('CPUExecutionProvider'));
    assert.ok(report.memory.available > 0 && report.memory.available <= report.memory.total);
    assert.deepEqual(
      report.disk.map(({ use, writable }) => [use, writable]),
      [
        ['runs', true],
        ['temporary', true],
        ['cache', true],
      ],
    );
    assert.ok(report.selfTest!.passed);
  });

  test('prints a section a part, aligned', async () => {
    const { code, stdout, stderr } = await sesdTrain(['doctor', '--threads', '1']);
    assert.deepEqual([code, stderr], [0, '']);
    for (const name of [
      'Versions',
      'System',
      'CPU',
      'Memory',
      'Disk',
      'Addon',
      'ONNX Runtime',
      'GPU',
      'Self-test',
    ])
      assert.match(stdout, new RegExp(`^(ok|warn|-   ) {2,4}${name} +\\S`, 'm'));
    assert.ok(
      stdout.split('\n').every((line) => line === '' || /^.{19} \S/.test(line)),
      stdout,
    );
    assert.match(
      stdout,
      /^ok +Self-test +loss 1\.0853, after a step 0\.9819; \d+ ms, \d+\.\d\d s to set up$/m,
    );
  });

  test('says that a library is not there, and how to name one', async () => {
    const { code, stdout, stderr } = await sesdTrain(['doctor', '--runtime', '/nope']);
    assert.equal(code, 1);
    assert.match(
      stdout,
      /^FAIL {2}ONNX Runtime {2}none\n {20}--runtime: there is no library \/nope\n {20}-> Give/m,
    );
    assert.match(stdout, /^- +Self-test +not made$/m);
    assert.equal(stderr, 'sesd-train: 1 problem to solve before training works.\n');
  });

  test('says what CUDA lacks where it is asked for', {
    skip: process.platform !== 'linux' || hasDriver(),
  }, async () => {
    const { code, report } = await examine(['--device', 'cuda']);
    assert.equal(code, 1);
    assert.equal(report.cuda?.libcuda, null);
    const [driver] = report.problems.filter(({ about }) => about === 'cuda');
    assert.equal(driver?.severity, 'error');
    assert.match(driver.message, /^no NVIDIA driver: libcuda\.so\.1 is not found/);
    assert.match(driver.fix!, /^Install the driver/);
  });

  test('outlives a library that ends the process, and says where it did', {
    skip: process.platform !== 'linux',
  }, async () => {
    const library = join(folder, 'libtrap.so');
    const source = '__attribute__((constructor)) static void start(void) { __builtin_trap(); }';
    const compiled = spawnSync('cc', ['-shared', '-fPIC', '-x', 'c', '-o', library, '-'], { input: source });
    assert.equal(compiled.status, 0, `${compiled.stderr}`);
    const { code, report } = await examine([], { env: { SESD_ONNXRUNTIME: library } });
    assert.equal(code, 1);
    assert.equal(report.runtime.source, 'SESD_ONNXRUNTIME');
    const [error] = errors(report);
    assert.equal(error?.about, 'runtime');
    assert.match(error.message, /^SIG(ILL|TRAP) ended the process that loaded ONNX Runtime$/);
  });

  describe('in an installed package', () => {
    let installed: string;
    let cache: string;
    let main: string;
    let prebuilt: string;
    before(() => {
      installed = join(folder, 'package');
      cache = join(folder, 'cache');
      main = join(installed, 'src/cli/main.ts');
      for (const part of ['src', 'native', 'package.json', 'CMakeLists.txt'])
        cpSync(join(root, part), join(installed, part), { recursive: true });
      for (const part of ['node_modules', 'models'])
        symlinkSync(join(root, part), join(installed, part), 'dir');
      prebuilt = join(installed, 'prebuilds', target, 'sesd.node');
      mkdirSync(dirname(prebuilt), { recursive: true });
      writeFileSync(prebuilt, 'cut short');
    });
    const doctor = async (PATH: string) => {
      const finished = await sesdTrain(['doctor', '--json'], { main, env: { PATH, XDG_CACHE_HOME: cache } });
      return { ...finished, report: parse(finished) };
    };

    test('a damaged addon that cannot be built again is named, with what is missing to build it', {
      skip: process.platform === 'win32',
    }, async () => {
      const { code, report } = await doctor(folder);
      assert.equal(code, 1);
      assert.deepEqual([report.addon.file, report.selfTest], [null, null]);
      assert.match(report.addon.refused[0]!.file, /prebuilds/);
      const [error] = errors(report);
      assert.equal(error?.about, 'addon');
      assert.match(error.message, /^building the native addon needs .*install with/);
      const warning = report.problems.find(
        ({ severity, about }) => severity === 'warning' && about === 'addon',
      );
      assert.match(warning!.message, /prebuilds.* does not load: .*(too short|not a mach-o|invalid)/);
      assert.match(warning!.fix!, /^npm install --force sesd-train@/);
    });

    test('one that is cut short ends the process that loads it, and the file is named', {
      skip: process.platform !== 'linux',
    }, async () => {
      const whole = readFileSync(join(root, 'build/Release/sesd.node'));
      writeFileSync(prebuilt, whole.subarray(0, whole.length / 4));
      const { code, report } = await doctor(folder);
      assert.equal(code, 1);
      const [error] = errors(report);
      assert.match(error!.message, /^SIG(BUS|SEGV) ended the process that loaded the addon .*prebuilds/);
      assert.match(error!.fix!, /^npm install --force sesd-train@/);
      writeFileSync(prebuilt, 'cut short');
    });

    test('one that was built on this machine takes its place', async () => {
      const { version } = (await import('../../package.json', { with: { type: 'json' } })).default;
      const built = join(cache, 'sesd-train', `${version}-${target}`, 'sesd.node');
      mkdirSync(dirname(built), { recursive: true });
      cpSync(join(root, 'build/Release/sesd.node'), built);
      const { code, report } = await doctor(process.env.PATH!);
      assert.deepEqual([code, errors(report)], [0, []]);
      assert.deepEqual([report.addon.origin, report.addon.file], ['cache', built]);
      assert.equal(report.addon.refused.length, 1);
    });
  });
});
