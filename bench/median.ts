export function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** The median over rounds of theirs / ours. */
export function medianRatio(theirs: readonly number[], ours: readonly number[]): number {
  return median(theirs.map((value, round) => value / ours[round]!));
}
