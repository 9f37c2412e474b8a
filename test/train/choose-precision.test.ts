import assert from 'node:assert/strict';
import { test } from 'node:test';
import { choosePrecision } from '../../src/train/choose-precision.ts';

const never = () => assert.fail('the CPU does not matter');

test('fp32 is fp32 everywhere, and says nothing', () => {
  assert.deepEqual(choosePrecision({ precision: 'fp32', fuse: true }, 'cpu', never), { precision: 'fp32' });
});

test('auto takes bf16 where the CPU multiplies it, and says what it took and why', () => {
  const auto = (simd: string) => choosePrecision({ precision: 'auto', fuse: true }, 'cpu', () => simd);
  assert.equal(auto('avx512_bf16').precision, 'bf16');
  assert.match(auto('avx512_bf16').notice!, /bfloat16.*\(avx512_bf16\).*--precision fp32/);
  for (const simd of ['avx512', 'avx2', 'neon', 'portable']) {
    assert.equal(auto(simd).precision, 'fp32');
    assert.match(auto(simd).notice!, new RegExp(`float32: this CPU does not .*${simd}`));
  }
  const stock = choosePrecision({ precision: 'auto', fuse: false }, 'cpu', never);
  assert.equal(stock.precision, 'fp32');
  assert.match(stock.notice!, /--no-fuse/);
});

test('bf16 is done as asked, with a word where it brings nothing', () => {
  const bf16 = (simd: string) => choosePrecision({ precision: 'bf16', fuse: true }, 'cpu', () => simd);
  assert.deepEqual(bf16('avx512_bf16'), { precision: 'bf16' });
  assert.equal(bf16('avx2').precision, 'bf16');
  assert.match(bf16('avx2').notice!, /avx2.*fp32 is as fast/);
});

test('a GPU has fp16, too, and auto is fp32 there', () => {
  const onCuda = (precision: 'auto' | 'bf16' | 'fp16') =>
    choosePrecision({ precision, fuse: true }, 'cuda', never);
  for (const precision of ['bf16', 'fp16'] as const) assert.deepEqual(onCuda(precision), { precision });
  assert.equal(onCuda('auto').precision, 'fp32');
  assert.match(onCuda('auto').notice!, /float32.*not been tried on a GPU/);
  assert.throws(() => choosePrecision({ precision: 'fp16', fuse: true }, 'cpu', never), {
    code: 'SESD_USAGE',
    message: /--precision fp16: the CPU computes in fp32 or bf16/,
    hint: /--precision bf16.*--device cuda/,
  });
});
