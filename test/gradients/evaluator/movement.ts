import { intAttribute, intsAttribute, stringAttribute } from '../../../src/graph/graph.ts';
import type { Evaluate } from './elementwise.ts';
import {
  at,
  broadcast,
  broadcastAt,
  count,
  fromTensorData,
  generate,
  positive,
  ravel,
  type Tensor,
  tensor,
  unravel,
} from './tensor.ts';

function withDims(x: Tensor, dims: number[]): Tensor {
  if (count(dims) !== x.data.length) throw new Error(`[${x.dims}] does not reshape to [${dims}]`);
  return { ...x, dims };
}

const reshape: Evaluate = (node, [x, target]) => {
  const copies = intAttribute(node, 'allowzero', 0) === 0;
  const dims = [...target!.data].map((dim, axis) => (dim === 0 && copies ? x!.dims[axis]! : dim));
  const open = dims.indexOf(-1);
  if (open >= 0) dims[open] = x!.data.length / -count(dims);
  return [withDims(x!, dims)];
};

const flatten: Evaluate = (node, [x]) => {
  const given = intAttribute(node, 'axis', 1);
  const axis = given < 0 ? given + x!.dims.length : given;
  return [withDims(x!, [count(x!.dims.slice(0, axis)), count(x!.dims.slice(axis))])];
};

const squeeze: Evaluate = (_, [x, given]) => {
  const gone = given && new Set([...given.data].map((axis) => positive(axis, x!.dims.length)));
  return [
    withDims(
      x!,
      x!.dims.filter((dim, axis) => (gone ? !gone.has(axis) : dim !== 1)),
    ),
  ];
};

const unsqueeze: Evaluate = (_, [x, given]) => {
  const rank = x!.dims.length + given!.data.length;
  const added = new Set([...given!.data].map((axis) => positive(axis, rank)));
  const rest = [...x!.dims];
  return [
    withDims(
      x!,
      Array.from({ length: rank }, (_axis, axis) => (added.has(axis) ? 1 : rest.shift()!)),
    ),
  ];
};

const transpose: Evaluate = (node, [x]) => {
  const perm = intsAttribute(node, 'perm') ?? x!.dims.map((_, axis) => x!.dims.length - 1 - axis);
  return [
    generate(
      x!.dtype,
      perm.map((axis) => x!.dims[axis]!),
      (index) => {
        const from = new Array<number>(perm.length);
        for (const [to, axis] of perm.entries()) from[axis] = index[to]!;
        return at(x!, from);
      },
    ),
  ];
};

const pad: Evaluate = (_, [x, pads, , given]) => {
  const axes = given
    ? [...given.data].map((axis) => positive(axis, x!.dims.length))
    : x!.dims.map((_dim, axis) => axis);
  const before = x!.dims.map(() => 0);
  const dims = [...x!.dims];
  for (const [i, axis] of axes.entries()) {
    before[axis] = pads!.data[i]!;
    dims[axis] = dims[axis]! + pads!.data[i]! + pads!.data[i + axes.length]!;
  }
  return [
    generate(x!.dtype, dims, (index) => {
      const from = index.map((position, axis) => position - before[axis]!);
      return from.every((position, axis) => position >= 0 && position < x!.dims[axis]!) ? at(x!, from) : 0;
    }),
  ];
};

const slice: Evaluate = (_, [x, starts, ends, axes, steps]) => {
  const positions = x!.dims.map((dim) => Array.from({ length: dim }, (_dim, i) => i));
  for (let i = 0; i < starts!.data.length; i++) {
    const axis = positive(axes ? axes.data[i]! : i, x!.dims.length);
    const dim = x!.dims[axis]!;
    const step = steps?.data[i] ?? 1;
    const clamp = (position: number) => {
      const shifted = position < 0 ? position + dim : position;
      return step > 0 ? Math.min(Math.max(shifted, 0), dim) : Math.min(Math.max(shifted, -1), dim - 1);
    };
    const kept: number[] = [];
    const end = clamp(ends!.data[i]!);
    for (let at = clamp(starts!.data[i]!); step > 0 ? at < end : at > end; at += step) kept.push(at);
    positions[axis] = kept;
  }
  const dims = positions.map((kept) => kept.length);
  return [
    generate(x!.dtype, dims, (index) =>
      at(
        x!,
        index.map((position, axis) => positions[axis]![position]!),
      ),
    ),
  ];
};

const concat: Evaluate = (node, inputs) => {
  const parts = inputs.map((input) => input!);
  const axis = positive(intAttribute(node, 'axis', 0), parts[0]!.dims.length);
  const dims = [...parts[0]!.dims];
  dims[axis] = parts.reduce((sum, part) => sum + part.dims[axis]!, 0);
  return [
    generate(parts[0]!.dtype, dims, (index) => {
      const from = [...index];
      for (const part of parts) {
        if (from[axis]! < part.dims[axis]!) return at(part, from);
        from[axis] = from[axis]! - part.dims[axis]!;
      }
      throw new Error('unreachable');
    }),
  ];
};

const split: Evaluate = (node, [x, given]) => {
  const axis = positive(intAttribute(node, 'axis', 0), x!.dims.length);
  const outputs = node.outputs.length;
  const even = Math.ceil(x!.dims[axis]! / outputs);
  const sizes = given
    ? [...given.data]
    : Array.from({ length: outputs }, (_, i) => Math.min(even, x!.dims[axis]! - i * even));
  let start = 0;
  return sizes.map((size) => {
    const from = start;
    start += size;
    const dims = x!.dims.map((dim, i) => (i === axis ? size : dim));
    return generate(x!.dtype, dims, (index) =>
      at(
        x!,
        index.map((p, i) => (i === axis ? p + from : p)),
      ),
    );
  });
};

const gather: Evaluate = (node, [data, indices]) => {
  const axis = positive(intAttribute(node, 'axis', 0), data!.dims.length);
  const rank = indices!.dims.length;
  const dims = [...data!.dims.slice(0, axis), ...indices!.dims, ...data!.dims.slice(axis + 1)];
  return [
    generate(data!.dtype, dims, (index) => {
      const picked = positive(at(indices!, index.slice(axis, axis + rank)), data!.dims[axis]!);
      return at(data!, [...index.slice(0, axis), picked, ...index.slice(axis + rank)]);
    }),
  ];
};

const gatherElements: Evaluate = (node, [data, indices]) => {
  const axis = positive(intAttribute(node, 'axis', 0), data!.dims.length);
  return [
    generate(data!.dtype, indices!.dims, (index) => {
      const picked = positive(at(indices!, index), data!.dims[axis]!);
      return at(
        data!,
        index.map((position, i) => (i === axis ? picked : position)),
      );
    }),
  ];
};

const gatherND: Evaluate = (_, [data, indices]) => {
  const depth = indices!.dims.at(-1)!;
  const dims = [...indices!.dims.slice(0, -1), ...data!.dims.slice(depth)];
  const prefix = indices!.dims.length - 1;
  return [
    generate(data!.dtype, dims, (index) => {
      const tuple = Array.from({ length: depth }, (_depth, i) =>
        positive(at(indices!, [...index.slice(0, prefix), i]), data!.dims[i]!),
      );
      return at(data!, [...tuple, ...index.slice(prefix)]);
    }),
  ];
};

const scatterElements: Evaluate = (node, [data, indices, updates]) => {
  const axis = positive(intAttribute(node, 'axis', 0), data!.dims.length);
  const adds = stringAttribute(node, 'reduction', 'none') === 'add';
  const result = { ...data!, data: data!.data.slice() };
  for (let i = 0; i < indices!.data.length; i++) {
    const index = unravel(i, indices!.dims);
    const value = at(updates!, index);
    index[axis] = positive(indices!.data[i]!, data!.dims[axis]!);
    const to = ravel(index, data!.dims);
    result.data[to] = adds ? result.data[to]! + value : value;
  }
  return [result];
};

const range: Evaluate = (_, [start, limit, step]) => {
  const [from, to, by] = [start!.data[0]!, limit!.data[0]!, step!.data[0]!];
  const length = Math.max(0, Math.ceil((to - from) / by));
  return [
    tensor(
      start!.dtype,
      [length],
      Array.from({ length }, (_length, i) => from + i * by),
    ),
  ];
};

const nonZero: Evaluate = (_, [x]) => {
  const hits = [...x!.data.keys()].filter((i) => x!.data[i] !== 0).map((i) => unravel(i, x!.dims));
  return [
    tensor(
      'int64',
      [x!.dims.length, hits.length],
      x!.dims.flatMap((_dim, axis) => hits.map((hit) => hit[axis]!)),
    ),
  ];
};

const shape: Evaluate = (node, [x]) => {
  const dims = x!.dims.slice(intAttribute(node, 'start', 0), intAttribute(node, 'end', x!.dims.length));
  return [tensor('int64', [dims.length], dims)];
};

const constantOfShape: Evaluate = (node, [target]) => {
  const attribute = node.attributes.get('value');
  const value = attribute?.kind === 'tensor' ? fromTensorData(attribute.value) : tensor('float32', [1]);
  return [generate(value.dtype, [...target!.data], () => value.data[0]!)];
};

const constant: Evaluate = (node) => {
  const value = node.attributes.get('value');
  if (value?.kind !== 'tensor') throw new Error('Constant without a tensor');
  return [fromTensorData(value.value)];
};

export const movement: Readonly<Record<string, Evaluate>> = {
  Concat: concat,
  Constant: constant,
  ConstantOfShape: constantOfShape,
  Expand: (_, [x, target]) => [
    generate(x!.dtype, broadcast(x!.dims, [...target!.data]), (index) => broadcastAt(x!, index)),
  ],
  Flatten: flatten,
  Gather: gather,
  GatherElements: gatherElements,
  GatherND: gatherND,
  NonZero: nonZero,
  Pad: pad,
  Range: range,
  Reshape: reshape,
  ScatterElements: scatterElements,
  Shape: shape,
  Size: (_, [x]) => [tensor('int64', [], [x!.data.length])],
  Slice: slice,
  Split: split,
  Squeeze: squeeze,
  Tile: (_, [x, repeats]) => [
    generate(
      x!.dtype,
      x!.dims.map((dim, axis) => dim * repeats!.data[axis]!),
      (index) =>
        at(
          x!,
          index.map((position, axis) => position % x!.dims[axis]!),
        ),
    ),
  ],
  Transpose: transpose,
  Unsqueeze: unsqueeze,
};
