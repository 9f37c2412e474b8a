import type { GraphBuilder } from '../graph/builder.ts';
import type { Dim } from '../graph/dims.ts';
import type { DataType, Graph, TensorData } from '../graph/graph.ts';

function allNumbers(dims: readonly Dim[] | undefined): dims is readonly number[] {
  return dims?.every((dim) => typeof dim === 'number') ?? false;
}

function sameDims(a: readonly Dim[] | undefined, b: readonly Dim[] | undefined): boolean {
  return a !== undefined && a.length === b?.length && a.every((dim, axis) => dim === b[axis]);
}

/**
 * Emits what gradients need of shapes: constants where inference knows them, Shape and integer ops where it
 * does not. A Shape node is made once per value.
 */
export class ShapeEmitter {
  readonly #builder: GraphBuilder;
  readonly #shapes = new Map<string, string>();
  #sources: ReadonlyMap<Dim, { value: string; axis: number }> | undefined;

  constructor(builder: GraphBuilder) {
    this.#builder = builder;
  }

  /** The shape of a value as an int64 vector. */
  of(name: string): string {
    const dims = this.#builder.typeOf(name)?.dims;
    if (allNumbers(dims)) return this.#builder.ints(...dims);
    let shape = this.#shapes.get(name);
    if (shape === undefined) {
      shape = this.#builder.op('Shape', [name]);
      this.#shapes.set(name, shape);
    }
    return shape;
  }

  /** Dims [start, end) of a value as an int64 vector; positions count from the front. */
  part(name: string, start: number, end: number): string {
    const dims = this.#builder.typeOf(name)?.dims?.slice(start, end);
    if (allNumbers(dims)) return this.#builder.ints(...dims);
    return this.#builder.op('Shape', [name], { attributes: { start, end } });
  }

  /** One int64 vector from vectors; parts of no elements are left out. */
  concat(...parts: readonly string[]): string {
    const filled = parts.filter((part) => this.#builder.typeOf(part)?.dims?.[0] !== 0);
    return filled.length === 1 ? filled[0]! : this.#builder.op('Concat', filled, { attributes: { axis: 0 } });
  }

  /** `value` in the shape of `like`, which has as many elements. */
  reshapeLike(value: string, like: string): string {
    return this.reshape(value, this.#builder.typeOf(like)?.dims, () => this.of(like));
  }

  /** `value` in the shape `dims`, which `shape` makes at run time where a constant cannot say it. */
  reshape(value: string, dims: readonly Dim[] | undefined, shape: () => string): string {
    const source = this.#builder.typeOf(value)?.dims;
    if (sameDims(source, dims)) return value;
    const target = dims && reshapeTarget(source, dims);
    return this.#builder.op('Reshape', [value, target ? this.#builder.ints(...target) : shape()]);
  }

  /** `value`, whose dims are those of `like` or 1, in the shape of `like`. */
  expandLike(value: string, like: string): string {
    const source = this.#builder.typeOf(value)?.dims;
    const dims = this.#builder.typeOf(like)?.dims;
    if (sameDims(source, dims)) return value;
    const target = dims && expandTarget(source, dims);
    return this.#builder.op('Expand', [value, target ? this.#builder.ints(...target) : this.of(like)]);
  }

  /**
   * `value` with zeros around it up to the shape of `like`: along each of `places` it starts at `begin`, a
   * number or an int64 vector of one element. Both ranks are known. All axes are given: the runtime, where it
   * moves a Transpose past a Pad, takes the pads for those of all axes, whichever the node names.
   */
  padLike(value: string, like: string, places: readonly { axis: number; begin: number | string }[]): string {
    const builder = this.#builder;
    const rank = builder.typeOf(value)!.dims!.length;
    const begins = Array<string>(rank).fill(builder.ints(0));
    const ends = [...begins];
    for (const { axis, begin } of places) {
      const length = builder.typeOf(value)?.dims?.[axis];
      const whole = builder.typeOf(like)?.dims?.[axis];
      const start = typeof begin === 'number' ? builder.ints(begin) : begin;
      begins[axis] = start;
      if (typeof begin === 'number' && typeof length === 'number' && typeof whole === 'number') {
        ends[axis] = builder.ints(whole - begin - length);
      } else {
        const rest = begin === 0 ? this.dim(like, axis) : builder.op('Sub', [this.dim(like, axis), start]);
        ends[axis] = builder.op('Sub', [rest, this.dim(value, axis)]);
      }
    }
    const pads = [...begins, ...ends].map((part) => builder.elementsOf(part)?.[0]);
    return builder.op('Pad', [
      value,
      allNumbers(pads as Dim[]) ? builder.ints(...(pads as number[])) : this.concat(...begins, ...ends),
    ]);
  }

  /**
   * One dim of a value as an int64 vector of one element: taken from the first value that has it, so that an activation is
   * not kept for its shape.
   */
  dim(name: string, axis: number): string {
    this.#sources ??= firstWithDim(this.#builder.graph);
    const source = this.#sources.get(this.#builder.typeOf(name)?.dims?.[axis] ?? '');
    return source ? this.part(source.value, source.axis, source.axis + 1) : this.part(name, axis, axis + 1);
  }

  /** Zeros of an int64 vector's shape. */
  zeros(shape: string, dtype: DataType): string {
    return this.#builder.op('ConstantOfShape', [shape], { attributes: { value: zero(dtype) } });
  }
}

/** For each symbolic dim the first value that has it, and where. */
function firstWithDim({ inputs, nodes, types }: Graph): Map<Dim, { value: string; axis: number }> {
  const sources = new Map<Dim, { value: string; axis: number }>();
  for (const value of [...inputs, ...nodes.flatMap(({ outputs }) => outputs)]) {
    for (const [axis, dim] of (types.get(value)?.dims ?? []).entries())
      if (typeof dim === 'string' && !sources.has(dim)) sources.set(dim, { value, axis });
  }
  return sources;
}

function zero(dtype: DataType): TensorData {
  return {
    dtype,
    dims: [1],
    bytes: new Uint8Array(dtype === 'float64' ? 8 : dtype === 'float32' ? 4 : 2),
  };
}

/** A constant Reshape target: 0 copies a dim that stays in its place, one dim may be left to follow as -1. */
function reshapeTarget(
  source: readonly Dim[] | undefined,
  dims: readonly Dim[],
): readonly number[] | undefined {
  let open = false;
  const target: number[] = [];
  for (const [axis, dim] of dims.entries()) {
    if (dim === 0) return undefined;
    if (typeof dim === 'number') {
      target.push(dim);
    } else if (source?.[axis] === dim) {
      target.push(0);
    } else if (!open) {
      open = true;
      target.push(-1);
    } else {
      return undefined;
    }
  }
  return target;
}

/** A constant Expand target: 1 keeps a dim that the source has already. */
function expandTarget(
  source: readonly Dim[] | undefined,
  dims: readonly Dim[],
): readonly number[] | undefined {
  const target: number[] = [];
  for (const [axis, dim] of dims.entries()) {
    if (typeof dim === 'number') target.push(dim);
    else if (source?.[axis - dims.length + source.length] === dim) target.push(1);
    else return undefined;
  }
  return target;
}
