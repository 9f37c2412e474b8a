import { addonFiles, loadAddon } from '../engine/backends/load-addon.ts';
import { openRuntime } from '../engine/backends/onnx-runtime.ts';
import { SesdError } from '../errors.ts';
import type { NativeFacts, ProbeRequest } from './native.ts';
import { selfTest } from './self-test.ts';

// Runs in a process of its own (native.ts): what is broken may end it, and what was found until then is known.

const tell = (facts: NativeFacts) => new Promise((resolve) => process.send!(facts, resolve));

process.once('message', async ({ library, threads, device }: ProbeRequest) => {
  try {
    try {
      loadAddon();
    } finally {
      await tell({ addon: addonFiles() });
    }
    if (library === undefined) return;
    const { version, providers, training, simd } = openRuntime({ library, threads });
    await tell({ runtime: { version, providers, training, simd } });
    await tell({ selfTest: await selfTest({ runtime: library, threads, device }) });
  } catch (error) {
    const hint = error instanceof SesdError ? error.hint : undefined;
    const message = error instanceof Error ? error.message : String(error);
    await tell({ failure: { message, fix: hint ?? null } });
  } finally {
    await tell({ finished: true });
    process.disconnect();
  }
});
