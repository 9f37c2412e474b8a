import type { ChosenDevice } from '../engine/backends/cuda/choose-device.ts';
import { cudaOptions } from '../engine/backends/cuda/try-cuda.ts';
import { createEngine } from '../engine/backends/onnx-runtime.ts';
import { createDeviceEngine } from '../engine/backends/onnx-runtime-device.ts';
import { createTrainingEngine } from '../engine/backends/ort-training.ts';
import type { Engine } from '../engine/engine.ts';
import type { TrainingPlan } from '../engine/plan.ts';
import type { OpenModelOptions } from './model-provider.ts';
import { clippingNorm } from './schedule.ts';

/** The engine of the backend asked for, and what to tell the user of it. */
export async function openEngine(
  plan: TrainingPlan,
  { device, runtime }: ChosenDevice,
  { backend, wholeStep, strategy, lr, headLr, weightDecay, maxGradNorm }: OpenModelOptions,
): Promise<{ engine: Engine; notice?: string }> {
  if (backend !== 'ort-training') {
    const onCuda = device === 'cuda';
    return { engine: await (onCuda ? createDeviceEngine(plan, cudaOptions) : createEngine(plan, runtime)) };
  }
  const trains =
    lr !== undefined && headLr !== undefined && weightDecay !== undefined && maxGradNorm !== undefined;
  const engine = await createTrainingEngine(plan, {
    ...runtime,
    ...(device === 'cuda' && { cuda: cudaOptions }),
    ...(wholeStep && { wholeStep: { teaches: strategy === 'sda' || strategy === 'ema' } }),
    ...(trains && {
      rates: {
        ...{ learningRate: lr, headLearningRate: headLr, weightDecay },
        maxGradNorm: clippingNorm({ maxGradNorm }),
      },
    }),
  });
  return {
    engine,
    notice: engine.group
      ? "ONNX Runtime's AdamW updates the weights: the settings treat all of them alike."
      : "The package's AdamW updates the weights: ONNX Runtime's has no groups, nor clipping, and the settings ask for one of them.",
  };
}
