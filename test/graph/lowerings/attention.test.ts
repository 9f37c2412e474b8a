import type { Feed } from '../../onnx/run-model.ts';
import { int32, loweringTests, random } from './check.ts';

// Two rows of four tokens, two heads of three: [batch, sequence, hidden].
const input = random([2, 4, 5]);
const packed = [random([5, 18], 2), random([18], 3)];
const zeros = { ...packed[1]!, data: new Float32Array(18) };
const bias = random([2, 2, 4, 4], 4);
const shared = random([1, 1, 4, 4], 5);
const keys = int32([2, 4], [1, 1, 1, 0, 1, 1, 0, 0]);
const pairs = int32(
  [2, 4, 4],
  [1, 0, 1, 1, 1, 1, 0, 1, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 1, 1, 0, 1, 1, 1, 0, 0, 1, 0, 1],
);
const lengths = int32([2], [3, 2]);
const bounds = int32([4], [4, 3, 1, 0]);
const heads = { num_heads: 2 };

loweringTests('com.microsoft::Attention', {
  'without a mask': { inputs: [input, ...packed], attributes: heads },
  'without a bias': {
    inputs: [input, packed[0]],
    reference: [input, packed[0], zeros],
    attributes: heads,
  },
  'a mask of keys': { inputs: [input, ...packed, keys], attributes: heads },
  'a mask of pairs': { inputs: [input, ...packed, pairs], attributes: heads },
  'key lengths': { inputs: [input, ...packed, lengths], attributes: heads },
  'where keys end and start': { inputs: [input, ...packed, bounds], attributes: heads },
  'a mild fill and a scale': {
    inputs: [input, ...packed, keys],
    attributes: { ...heads, mask_filter_value: { float: -2 }, scale: { float: 0.4 } },
  },
  'a bias of the scores': { inputs: [input, ...packed, undefined, undefined, bias], attributes: heads },
  'a mask and a bias that broadcasts': {
    inputs: [input, ...packed, keys, undefined, shared],
    attributes: heads,
  },
  'values of another size': {
    inputs: [input, random([5, 20], 2), random([20], 3), keys],
    attributes: { ...heads, qkv_hidden_sizes: [6, 6, 8] },
  },
});

const [query, key, value] = [random([2, 4, 6]), random([2, 4, 6], 2), random([2, 4, 6], 3)];
const wideValue = random([2, 4, 8], 3);

/** Projections [batch, sequence, heads × head size] as one [batch, sequence, heads, count, head size]. */
function inOne(...parts: Feed[]): Feed {
  const data: number[] = [];
  for (let at = 0; at < 2 * 4 * 6; at += 3) {
    for (const part of parts) data.push(...(part.data as Float32Array).subarray(at, at + 3));
  }
  return { type: 'float32', dims: [2, 4, 2, parts.length, 3], data: Float32Array.from(data) };
}

const biases = random([20], 6);

loweringTests('com.microsoft::MultiHeadAttention', {
  'without a mask': { inputs: [query, key, value], attributes: heads },
  'biases and a mask of keys': { inputs: [query, key, wideValue, biases, keys], attributes: heads },
  'key lengths': { inputs: [query, key, value, undefined, lengths], attributes: heads },
  'a mask of pairs': { inputs: [query, key, value, undefined, pairs], attributes: heads },
  'a bias of the scores, a mild fill and a scale': {
    inputs: [query, key, wideValue, biases, keys, bias],
    attributes: { ...heads, mask_filter_value: { float: -2 }, scale: { float: 0.4 } },
  },
  'other lengths of keys': {
    inputs: [query, random([2, 5, 6], 2), random([2, 5, 6], 3), random([18], 4)],
    attributes: heads,
  },
  'keys and values by head': {
    inputs: [query, random([2, 2, 5, 3], 2), random([2, 2, 5, 3], 3)],
    attributes: heads,
  },
  'queries, keys and values in one': {
    inputs: [inOne(query, key, value)],
    reference: [query, key, value],
    attributes: heads,
  },
  'keys and values in one': {
    inputs: [query, inOne(key, value)],
    reference: [query, key, value],
    attributes: heads,
  },
});

const [q, k, v] = [random([2, 2, 4, 3]), random([2, 2, 5, 3], 2), random([2, 2, 5, 3], 3)];
const flat = { q_num_heads: 2, kv_num_heads: 2 };
// The second query of the second row has no key to attend to.
const kept = bools([2, 1, 4, 5], (row, query, key) => (row === 0 || query !== 1) && key <= query + 1 + row);

loweringTests('Attention', {
  'without a mask': { inputs: [q, k, v], opset: 23 },
  'which keys to attend to': { inputs: [q, k, v, kept], opset: 23 },
  'a mask to add': { inputs: [q, k, v, random([4, 5], 4)], attributes: { scale: { float: 0.3 } }, opset: 23 },
  'heads side by side': {
    inputs: [random([2, 4, 6]), random([2, 5, 6], 2), random([2, 5, 8], 3), kept],
    attributes: flat,
    opset: 23,
  },
});

function bools(
  dims: [number, 1, number, number],
  keep: (row: number, query: number, key: number) => boolean,
): Feed {
  const [rows, , queries, keys] = dims;
  const data = Uint8Array.from({ length: rows * queries * keys }, (_, i) =>
    Number(keep(Math.floor(i / keys / queries), Math.floor(i / keys) % queries, i % keys)),
  );
  return { type: 'bool', dims, data };
}
