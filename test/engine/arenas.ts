import assert from 'node:assert/strict';
import { loadAddon, runtimeLibrary } from '../../src/engine/backends/load-addon.ts';
import type { NativeArena } from '../../src/engine/contract.ts';

export const addon = loadAddon();

/** Loads the runtime, once a process. */
export function openAddon(): void {
  addon.open({ library: runtimeLibrary(), threads: 2 });
}

// Longer than a chunk of the native passes (65536), and no multiple of a vector.
export const n = 150_001;

/** Numbers in (-1, 1) that look random but are the same each time. */
export function noise(length: number, seed: number): Float32Array {
  let state = seed >>> 0;
  return Float32Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}

export async function arenaOf(values: Float32Array): Promise<NativeArena> {
  const arena = await addon.createArena(values.length);
  await arena.write(0, values);
  return arena;
}

export const readAll = (arena: NativeArena) => arena.read(0, arena.length);

/** Absolute, as the values are of the order of 1 and float32 rounds at 6e-8 of their largest part. */
export function assertClose(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance: number,
  what: string,
) {
  assert.equal(actual.length, expected.length);
  for (let i = 0; i < actual.length; i++) {
    // One plain comparison, as there are many.
    if (!(Math.abs(actual[i]! - expected[i]!) <= tolerance)) {
      assert.fail(`${what}[${i}]: ${actual[i]}, not ${expected[i]}`);
    }
  }
}

/** A float32 as bfloat16 has it: the upper 16 bits, rounded to the nearest, ties to even. */
export function rounded(x: number): number {
  const [bits] = new Uint32Array(Float32Array.of(x).buffer);
  const below = bits! & 0xffff;
  const upper = bits! >>> 16;
  const up = below > 0x8000 || (below === 0x8000 && upper % 2 === 1) ? 1 : 0;
  return new Float32Array(Uint32Array.of((upper + up) << 16).buffer)[0]!;
}
