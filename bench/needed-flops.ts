import { sizes } from './random-bert.ts';

/**
 * Floating-point operations a training step needs, forward and backward, in the matrix products alone: of the last layer
 * keys and values of all tokens, and everything else of [CLS].
 */
export function neededFlops(size: keyof typeof sizes, batch: number, length: number): number {
  const [layers, hidden] = sizes[size];
  const tokens = batch * length;
  const projection = 2 * hidden ** 2; // of one token, to one of query, key, value, output
  const feedForward = 8 * projection;
  const attention = 4 * length * hidden; // of one query: its scores and its context
  const whole = tokens * (4 * projection + feedForward + attention);
  const last = tokens * 2 * projection + batch * (2 * projection + feedForward + attention);
  // the gradient of each product is two of its size
  return 3 * ((layers - 1) * whole + last);
}
