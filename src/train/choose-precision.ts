import type { TrainOptions } from '../config/train-options.ts';

/** What matrix products are computed in, and what to tell the user of it. */
export interface ChosenPrecision {
  precision: 'fp32' | 'bf16';
  notice?: string;
}

/** Instruction sets that multiply bfloat16, by the addon's name of them. */
const withBf16 = new Set(['avx512_bf16']);

/** @param simd instruction set the kernels run with; asked for only where it matters */
export function choosePrecision(
  { precision, fuse }: Pick<TrainOptions, 'precision' | 'fuse'>,
  simd: () => string,
): ChosenPrecision {
  if (precision === 'fp32') return { precision };
  if (!fuse) return { precision: 'fp32', notice: 'Matrix products in float32: --no-fuse has no others.' };
  const set = simd();
  const native = withBf16.has(set);
  if (precision === 'bf16') {
    if (native) return { precision };
    const notice =
      `--precision bf16: this CPU does not multiply bfloat16 itself (its instruction set here is ${set}), so fp32 is ` +
      'as fast or faster.';
    return { precision, notice };
  }
  return native
    ? {
        precision: 'bf16',
        notice: `Matrix products in bfloat16, which this CPU multiplies itself (${set}); --precision fp32 has all digits.`,
      }
    : {
        precision: 'fp32',
        notice: `Matrix products in float32: this CPU does not multiply bfloat16 itself (its instruction set here is ${set}).`,
      };
}
