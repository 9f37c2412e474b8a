import { SesdError } from '../../errors.ts';
import type { HostTensor, NativeAddon, NativeBinding, NativeSession, SessionOptions } from '../contract.ts';
import type { Logits } from '../engine.ts';

/** @throws SesdError as takingModel */
export async function createSession(
  addon: NativeAddon,
  model: Uint8Array,
  what: string,
  options: SessionOptions = {},
): Promise<NativeSession> {
  return takingModel(what, () => addon.createSession(model, options));
}

/**
 * Makes a session.
 * @throws SesdError SESD_BAD_MODEL with what the runtime says of a graph it does not take, SESD_UNSUPPORTED_OP where a node
 *   would run on the CPU and that is not wanted
 */
export async function takingModel<T>(what: string, make: () => Promise<T>): Promise<T> {
  try {
    return await make();
  } catch (cause) {
    const { message } = cause as Error;
    if (message.includes('assigned to the default CPU EP')) {
      throw new SesdError(
        'SESD_UNSUPPORTED_OP',
        `The model's ${what} computes shapes that do not follow from the batch, which the GPU does not.`,
        { hint: 'Export it with torch.onnx.export(dynamo=True), or use --device cpu.', cause },
      );
    }
    throw new SesdError('SESD_BAD_MODEL', `ONNX Runtime does not take the model's ${what}: ${message}`, {
      hint: 'Check that onnxruntime runs the file; if not, export it again.',
      cause,
    });
  }
}

/** Ends the run under way when the signal fires. @throws SesdError SESD_ABORTED, SESD_RUNTIME */
export async function cancellable<T>(
  binding: Pick<NativeBinding, 'cancel'>,
  signal: AbortSignal | undefined,
  run: () => Promise<T>,
): Promise<T> {
  if (signal?.aborted) throw new SesdError('SESD_ABORTED', 'The run was cancelled.');
  const cancel = () => binding.cancel();
  signal?.addEventListener('abort', cancel, { once: true });
  try {
    return await run();
  } catch (cause) {
    if (signal?.aborted) throw new SesdError('SESD_ABORTED', 'The run was cancelled.', { cause });
    throw new SesdError('SESD_RUNTIME', `ONNX Runtime failed: ${(cause as Error).message}`, { cause });
  } finally {
    signal?.removeEventListener('abort', cancel);
  }
}

/** The tensors a graph reads, of those a batch has. */
export function pick(
  feeds: Readonly<Record<string, HostTensor>>,
  names: readonly string[],
): Record<string, HostTensor> {
  return Object.fromEntries(names.map((name) => [name, feeds[name]!]));
}

export function toLogits(tensor: HostTensor): Logits {
  return { data: tensor.data as Float32Array, rows: tensor.dims[0]!, classes: tensor.dims[1]! };
}
