import assert from 'node:assert/strict';
import type { HeadRecord, StoredArray } from './record.ts';

export interface Tolerance {
  relative: number;
  absolute: number;
}

export function assertClose(
  what: string,
  found: ArrayLike<number>,
  expected: readonly number[],
  tolerance: Tolerance,
): void {
  assert.equal(found.length, expected.length, `${what}: number of elements`);
  const index = firstFar(found, expected, tolerance);
  assert.equal(index, -1, `${what}: element ${index} is ${found[index]}, expected ${expected[index]}`);
}

function isClose(found: ArrayLike<number>, expected: readonly number[], tolerance: Tolerance): boolean {
  return found.length === expected.length && firstFar(found, expected, tolerance) === -1;
}

function firstFar(found: ArrayLike<number>, expected: readonly number[], tolerance: Tolerance): number {
  const { relative, absolute } = tolerance;
  return expected.findIndex(
    (value, index) => !(Math.abs(found[index]! - value) <= absolute + relative * Math.abs(value)),
  );
}

/** Largest difference of two arrays relative to the largest element of the second. */
export function relativeDifference(found: ArrayLike<number>, expected: readonly number[]): number {
  const most = Math.max(...expected.map((value, index) => Math.abs(found[index]! - value)));
  return most / Math.max(...expected.map(Math.abs));
}

/** Holds every gradient to PyTorch's. Returns the largest relative difference of those that are not 0 but for rounding. */
export function compareGradients(
  found: Map<string, Float32Array>,
  { gradients, unmatched }: HeadRecord,
  relative: number,
): number {
  const all = [...Object.values(gradients).flat(), ...Object.values(unmatched)];
  const largest = Math.max(...all.flatMap(({ data }) => data.map(Math.abs)));
  // A gradient that is 0 but for rounding, as that of a key's bias, is held to the scale of the others.
  const tolerance = ({ data }: StoredArray) => ({
    relative: 0,
    absolute: relative * Math.max(...data.map(Math.abs)) + 0.01 * relative * largest,
  });
  let worst = 0;
  const note = (gradient: Float32Array, { data }: StoredArray) => {
    if (Math.max(...data.map(Math.abs)) > 1e-4 * largest)
      worst = Math.max(worst, relativeDifference(gradient, data));
  };
  const merged: (StoredArray & { parameter: string })[] = [];
  for (const [name, expected] of Object.entries(gradients)) {
    if (Array.isArray(expected)) {
      merged.push(...expected);
      continue;
    }
    const gradient = found.get(name);
    assert.ok(gradient, `${name} is not among the trained parameters`);
    found.delete(name);
    assertClose(`gradient of ${name}`, gradient, expected.data, tolerance(expected));
    note(gradient, expected);
  }
  if (merged.length === 0) {
    // A table that was folded while exporting is a parameter PyTorch does not know.
    assert.ok(found.size <= Object.keys(unmatched).length, `unknown: ${[...found.keys()]}`);
    return worst;
  }
  // Parameters of equal value got names of their own: each gradient must be that of one of them.
  for (const [parameter, expected] of Object.entries(unmatched)) merged.push({ ...expected, parameter });
  for (const expected of merged) {
    const name = [...found.keys()].find((key) =>
      isClose(found.get(key)!, expected.data, tolerance(expected)),
    );
    assert.ok(name, `no parameter has the gradient of ${expected.parameter}`);
    note(found.get(name)!, expected);
    found.delete(name);
  }
  assert.deepEqual([...found.keys()], []);
  return worst;
}
