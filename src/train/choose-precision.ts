import type { TrainOptions } from '../config/train-options.ts';
import { SesdError } from '../errors.ts';

/** What matrix products are computed in, and what to tell the user of it. */
export interface ChosenPrecision {
  precision: 'fp32' | 'bf16' | 'fp16';
  notice?: string;
}

/** Instruction sets that multiply bfloat16, by the addon's name of them. */
const withBf16 = new Set(['avx512_bf16']);

/**
 * @param device where the model is computed
 * @param simd instruction set the kernels run with; asked for only where it matters
 * @throws SesdError SESD_USAGE when the device has no such products
 */
export function choosePrecision(
  { precision, fuse }: Pick<TrainOptions, 'precision' | 'fuse'>,
  device: 'cpu' | 'cuda',
  simd: () => string,
): ChosenPrecision {
  if (precision === 'fp32') return { precision };
  if (device === 'cuda') return precision === 'auto' ? automaticOnCuda : { precision };
  if (precision === 'fp16') {
    throw new SesdError('SESD_USAGE', '--precision fp16: the CPU computes in fp32 or bf16.', {
      hint: 'Use --precision bf16 or auto; or --device cuda.',
    });
  }
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

const automaticOnCuda: ChosenPrecision = {
  precision: 'fp32',
  notice:
    'Matrix products in float32: bf16 and fp16, which are faster, have not been tried on a GPU; name one to use it.',
};
