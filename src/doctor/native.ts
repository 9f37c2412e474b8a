import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { AddonFiles } from '../engine/backends/load-addon.ts';
import { SesdError } from '../errors.ts';
import type { SelfTestFacts } from './report.ts';

export interface ProbeRequest {
  /** ONNX Runtime's; without it only the addon is tried. */
  library?: string;
  threads: number;
  /** Of the training step. */
  device: 'auto' | 'cpu' | 'cuda';
}

/** What the probe got to, in this order. */
export interface NativeFacts {
  addon?: AddonFiles;
  runtime?: { version: string; providers: string[]; training: boolean; simd: string };
  selfTest?: SelfTestFacts;
  /** Why it got no further. */
  failure?: { message: string; fix: string | null };
  finished?: true;
  /** The signal or exit code that ended it before that. */
  endedBy?: string;
}

/** This file is run from src/ by a loader as well as from dist/. */
const probe = fileURLToPath(new URL('./native-probe.ts', import.meta.url)).replace(
  /\.ts$/,
  import.meta.url.endsWith('.ts') ? '.ts' : '.js',
);

/**
 * Loads the addon and the runtime and makes a training step, in a process of its own: a library that is damaged or
 * compiled for another CPU takes the process with it, and that is then said.
 */
export async function probeNative(request: ProbeRequest, signal: AbortSignal): Promise<NativeFacts> {
  // What the runtime prints must not get among the JSON of ours.
  const child = fork(probe, { stdio: ['ignore', 2, 2, 'ipc'], signal });
  const facts: NativeFacts = {};
  child.on('message', (more) => Object.assign(facts, more));
  child.send(request);
  try {
    const [code, killedBy] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
    return facts.finished ? facts : { ...facts, endedBy: killedBy ?? `exit code ${code}` };
  } catch (cause) {
    if (signal.aborted) throw new SesdError('SESD_ABORTED', 'Interrupted.', { cause });
    throw cause;
  }
}
