import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { cpuQuota, featuresOf } from '../../src/doctor/cpu.ts';
import { parseGpus } from '../../src/doctor/gpu.ts';
import { type Facts, findProblems, isSupported } from '../../src/doctor/problems.ts';
import { selfTest } from '../../src/doctor/self-test.ts';

describe('what the system tells', () => {
  test('instruction sets of Linux and macOS on both architectures', () => {
    assert.deepEqual(
      featuresOf('model name\t: Xeon\nflags\t\t: fpu sse4_2 avx2 fma avx512f amx_bf16 avx512_bf16\n'),
      [...['sse4_2', 'avx2', 'fma', 'avx512f', 'avx512_bf16', 'amx_bf16']],
    );
    assert.deepEqual(featuresOf('Features\t: fp asimd evtstrm i8mm bf16\n'), ['asimd', 'bf16', 'i8mm']);
    const intel = 'machdep.cpu.features: FPU SSE4.2 AVX1.0\nmachdep.cpu.leaf7_features: BMI1 AVX2\n';
    assert.deepEqual(featuresOf(intel), ['avx', 'avx2']);
    const apple =
      'hw.optional.AdvSIMD: 1\nhw.optional.arm.FEAT_BF16: 1\nhw.optional.arm.FEAT_SME: 0\nhw.optional.neon: 1\n';
    assert.deepEqual(featuresOf(apple), ['asimd', 'bf16']);
    assert.equal(featuresOf(''), null);
  });

  test('the cores of the tightest control group', () => {
    const reader = (files: Record<string, string>) => (file: string) => files[file];
    assert.equal(cpuQuota(reader({})), null);
    assert.equal(cpuQuota(reader({ '/sys/fs/cgroup/cpu.max': 'max 100000\n' })), null);
    const nested = {
      '/proc/self/cgroup': '0::/a/b\n',
      '/sys/fs/cgroup/a/cpu.max': '150000 100000\n',
      '/sys/fs/cgroup/a/b/cpu.max': '400000 100000\n',
    };
    assert.equal(cpuQuota(reader(nested)), 1.5);
    const old = {
      '/proc/self/cgroup': '4:memory:/x\n0::/\n',
      '/sys/fs/cgroup/cpu/cpu.cfs_quota_us': '200000\n',
      '/sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000\n',
    };
    assert.equal(cpuQuota(reader(old)), 2);
    assert.equal(cpuQuota(reader({ ...old, '/sys/fs/cgroup/cpu/cpu.cfs_quota_us': '-1\n' })), null);
  });

  test('GPUs', () => {
    assert.deepEqual(parseGpus('550.54.15, NVIDIA H100 80GB HBM3, 81559, 9.0\n'), [
      {
        driver: '550.54.15',
        name: 'NVIDIA H100 80GB HBM3',
        memory: 81559 * 2 ** 20,
        computeCapability: '9.0',
      },
    ]);
    assert.deepEqual(parseGpus('No devices were found\n'), []);
  });
});

describe('what is wrong', () => {
  const healthy: Facts = {
    version: '1.0.0',
    node: { version: '22.12.0', executable: '/usr/bin/node', required: '^20.19.0 || >=22.12.0' },
    system: { platform: 'linux', arch: 'x64', name: 'Debian', kernel: '6', libc: null },
    cpu: { model: 'EPYC', cores: 8, available: 8, quota: null, features: ['avx2'] },
    memory: { total: 16e9, available: 12e9, limit: null, addressSpace: null, hugePages: 'madvise' },
    disk: [
      { use: 'runs', path: '/home/me', free: 50e9, writable: true },
      { use: 'cache', path: '/home/me/.cache', free: 50e9, writable: false },
    ],
    environment: {},
    addon: { file: '/a/sesd', origin: 'package', refused: [], simd: 'avx2' },
    runtime: {
      file: '/a/onnxruntime',
      source: 'onnxruntime-node',
      version: '1.30.0',
      packageVersion: '1.30.0',
      packageExpected: '1.30.0',
      providers: ['CPUExecutionProvider'],
      trainingApi: false,
    },
    gpu: { driver: null, devices: [] },
    cuda: null,
    selfTest: null,
  };
  const fixes = (changes: Partial<Facts>) =>
    findProblems({ ...healthy, ...changes }).map(({ about, severity, fix }) => [about, severity, fix]);

  test('nothing on a healthy machine, also where the cache it does not need cannot be written', () => {
    assert.deepEqual(fixes({}), []);
  });

  test('each problem with its way out', () => {
    const { node, cpu, memory, disk, addon, runtime } = healthy;
    assert.deepEqual(fixes({ node: { ...node, version: '18.20.0' } }), [
      ['node', 'error', 'nvm install 22, or another way to a current Node'],
    ]);
    assert.deepEqual(fixes({ cpu: { ...cpu, quota: 2.5 } }), [
      ['cpu', 'warning', 'sesd-train --threads 2 …'],
    ]);
    assert.deepEqual(fixes({ environment: { SESD_SIMD: 'avx2' } }), [['cpu', 'warning', 'unset SESD_SIMD']]);
    assert.deepEqual(
      fixes({ memory: { ...memory, available: 1e9, addressSpace: 8e9 } }).map(([about]) => about),
      ['memory', 'memory'],
    );
    assert.deepEqual(fixes({ disk: disk.map((folder) => ({ ...folder, free: 1e9 })) }), [
      ['disk', 'warning', 'sesd-train --output DIR …, with a folder on another disk'],
    ]);
    assert.deepEqual(fixes({ addon: { ...addon, origin: 'cache' } }), [
      ['disk', 'warning', 'set XDG_CACHE_HOME to a folder that can be written'],
    ]);
    const refused = (origin: 'checkout' | 'package' | 'cache') =>
      fixes({ addon: { ...addon, refused: [{ file: '/b', origin, reason: 'GLIBC' }] } })[0];
    assert.deepEqual(refused('checkout'), ['addon', 'warning', 'npm run build:native']);
    assert.deepEqual(refused('package'), ['addon', 'warning', 'npm install --force sesd-train@1.0.0']);
    assert.deepEqual(refused('cache'), ['addon', 'warning', 'delete /b, and it is built again']);
    assert.deepEqual(fixes({ runtime: { ...runtime, packageVersion: '1.17.0' } }), [
      ['runtime', 'warning', 'npm install onnxruntime-node@1.30.0'],
    ]);
  });

  test('a step that computes something else', () => {
    const expected = { loss: 1, gradNorm: 2, lossAfter: 0.9 };
    const rest = { expected, tolerance: 1e-5, setUp: 1, step: 0.1 };
    const found = { ...expected, lossAfter: Number.NaN };
    assert.deepEqual(fixes({ selfTest: { ...expected, ...rest, passed: true } }), []);
    const [problem] = findProblems({ ...healthy, selfTest: { ...found, ...rest, passed: false } });
    assert.equal(problem?.severity, 'error');
    assert.match(problem.message, /gave .*loss after the update NaN; expected .*loss after the update 0\.9$/);
  });

  test('Node is compared with what package.json requires', () => {
    const supported = (version: string) => isSupported(version, '^20.19.0 || >=22.12.0');
    assert.deepEqual(['20.19.0', '20.20.2', '22.12.0', '24.0.0'].map(supported), [true, true, true, true]);
    assert.deepEqual(['18.20.0', '20.18.9', '21.7.0', '22.11.0'].map(supported), [
      false,
      false,
      false,
      false,
    ]);
  });
});

describe('the self-test', () => {
  test('gives what is expected, with fused and with stock operators', async () => {
    for (const fuse of [true, false]) {
      const result = await selfTest({ fuse });
      assert.ok(result.passed, JSON.stringify(result));
      assert.ok(result.step > 0 && result.setUp > 0);
    }
  });
});
