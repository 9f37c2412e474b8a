import type { Averaging, UpdateOptions } from '../../engine.ts';
import type { DeviceMemory, Range, Vector } from './memory.ts';
import { adamWPass, blendPass, meanPass, runningMeanPass, scalePass, squaresPass } from './pass-graphs.ts';
import { type RateRange, vectorOf } from './weights.ts';

/** into ← mean of the sources, of which it may be one. */
export async function mean(
  device: DeviceMemory,
  into: Vector,
  sources: readonly Vector[],
  range: Range,
): Promise<void> {
  const types = sources.map(({ type }) => type);
  const inputs = Object.fromEntries(sources.map((source, index) => [`x${index}`, source]));
  await device.run(`mean ${types.join(' ')}`, () => meanPass(types), inputs, { y: into }, {}, range);
}

/** Takes the weights x into averages, in their order. */
export async function average(
  device: DeviceMemory,
  x: Vector,
  averages: readonly Averaging[],
  range: Range,
): Promise<void> {
  for (const averaging of averages) {
    const a = vectorOf(averaging.into);
    switch (averaging.kind) {
      case 'copy':
        await device.copy(x, a);
        break;
      case 'blend': {
        const { weight } = averaging;
        await device.run('blend', blendPass, { a, x }, { "a'": a }, { weight }, range);
        break;
      }
      case 'running-mean': {
        const r = vectorOf(averaging.residual);
        const { count } = averaging;
        const outputs = { "a'": a, "r'": r };
        await device.run('running mean', runningMeanPass, { a, r, x }, outputs, { count }, range);
        break;
      }
      case 'mean':
        await mean(device, a, [...averaging.others.map(vectorOf), x], range);
        break;
    }
  }
}

/** The L2 norm of a vector. */
export async function norm(device: DeviceMemory, x: Vector, range: Range): Promise<number> {
  const sums = await device.run('squares', squaresPass, { x }, {}, {}, range, 'y');
  return Math.sqrt(sums.reduce((total, sum) => total + sum, 0));
}

/** a ← factor·a */
export async function scale(device: DeviceMemory, a: Vector, factor: number, range: Range): Promise<void> {
  await device.run('scale', scalePass, { a }, { "a'": a }, { factor }, range);
}

/** The student, its gradients and moments. */
export interface UpdateState {
  p: Vector;
  m: Vector;
  v: Vector;
  g: Vector;
}

/** AdamW, clipped, of each range with its rates. @param gradNorm norm of the gradients, finite */
export async function adamW(
  device: DeviceMemory,
  state: UpdateState,
  ranges: readonly RateRange[],
  { gradNorm, ...options }: UpdateOptions & { gradNorm: number },
): Promise<void> {
  const { p, m, v } = state;
  const { step, learningRate, headLearningRate, weightDecay, maxGradNorm } = options;
  const correction = (beta: number) => 1 - beta ** step;
  for (const range of ranges) {
    const { group, decay, learningRateScale } = range.parameter;
    const rate = learningRateScale * (group === 'head' ? headLearningRate : learningRate);
    const scalars = {
      scale: gradNorm > maxGradNorm ? maxGradNorm / (gradNorm + 1e-6) : 1,
      decay: 1 - rate * (decay ? weightDecay : 0),
      size: rate / correction(0.9),
      root: 1 / Math.sqrt(correction(0.999)),
    };
    const outputs = { "p'": p, "m'": m, "v'": v };
    await device.run('adamw', adamWPass, { ...state }, outputs, scalars, range);
  }
}
