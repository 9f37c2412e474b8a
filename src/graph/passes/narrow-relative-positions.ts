import type { GraphBuilder } from '../builder.ts';
import { intAttribute, type Node, opName } from '../graph.ts';
import { removeDeadNodes } from '../rewrite.ts';
import { sortNodes } from '../sort.ts';
import { GraphView } from '../view.ts';
import { Narrowing } from './narrowing.ts';

/**
 * DeBERTa's attention multiplies queries and keys with its whole table of relative positions, 512 of them as a rule, and
 * then gathers those that occur: 63 in texts of 32 tokens. Computes no others.
 *
 * @returns Whether anything became smaller; then types have to be inferred again.
 */
export function narrowRelativePositions(builder: GraphBuilder): boolean {
  const { graph } = builder;
  const gathers = new Map<Node, number>();
  for (const node of graph.nodes) {
    const count = gatheredPositions(builder, node);
    if (count !== undefined) gathers.set(node, count);
  }
  const [count, ...others] = new Set(gathers.values());
  if (count === undefined || others.length > 0) return false;

  const indices = new Indices(builder, [...gathers.keys()], count);
  const readers = new Narrowing(builder, {
    readBy: (node) => (gathers.has(node) ? lastAxis(builder, node) : undefined),
    take: (value, axis) => builder.op('Slice', [value, ...indices.range, builder.ints(axis)]),
    length: -1,
  }).apply();
  if (readers.length === 0) return false;
  for (const node of readers) node.inputs[1] = indices.fromFirst(node.inputs[1]!);
  sortNodes(graph);
  removeDeadNodes(graph);
  return true;
}

/** The length of the last axis, if a GatherElements takes elements of it and it is known. */
function gatheredPositions(builder: GraphBuilder, node: Node): number | undefined {
  if (opName(node) !== 'GatherElements') return undefined;
  const axis = intAttribute(node, 'axis', 0);
  const count = builder.typeOf(node.inputs[0]!)?.dims?.at(-1);
  const isLast = axis === -1 || axis === lastAxis(builder, node);
  return isLast && builder.typeOf(node.inputs[1]!)?.dims && typeof count === 'number' ? count : undefined;
}

function lastAxis(builder: GraphBuilder, node: Node): number {
  return builder.typeOf(node.inputs[0]!)!.dims!.length - 1;
}

/** The positions that nodes gather, and the range they lie in. */
class Indices {
  readonly #builder: GraphBuilder;
  readonly #view: GraphView;
  readonly #count: number;
  readonly #positive = new Map<string, string>();
  readonly #gathers: readonly Node[];
  #range: [string, string] | undefined;

  constructor(builder: GraphBuilder, gathers: readonly Node[], count: number) {
    this.#builder = builder;
    this.#view = new GraphView(builder.graph);
    this.#count = count;
    this.#gathers = gathers;
  }

  /** The least position, and the one behind the greatest: int64[1] each. */
  get range(): readonly [string, string] {
    if (this.#range) return this.#range;
    const builder = this.#builder;
    const places = [...new Set(this.#gathers.map(({ inputs }) => this.#expanded(inputs[1]!).source))];
    const extreme = (reduce: string, combine: string) => {
      const each = places.map((value) => {
        const reduced = builder.op(reduce, [this.#fromStart(value)], { attributes: { keepdims: 0 } });
        return builder.op('Reshape', [reduced, builder.ints(1)]);
      });
      return each.length === 1 ? each[0]! : builder.op(combine, each);
    };
    this.#range = [
      extreme('ReduceMin', 'Min'),
      builder.op('Add', [extreme('ReduceMax', 'Max'), builder.ints(1)]),
    ];
    return this.#range;
  }

  /** Indices counted from the first. */
  fromFirst(indices: string): string {
    const { source, shape } = this.#expanded(indices);
    const shifted = this.#builder.op('Sub', [this.#fromStart(source), this.range[0]]);
    return shape === undefined ? shifted : this.#builder.op('Expand', [shifted, shape]);
  }

  /** Indices that are broadcast to all heads of a batch are the same few. */
  #expanded(indices: string): { source: string; shape?: string } {
    const expand = this.#view.producerOf(indices, 'Expand');
    return expand ? { source: expand.inputs[0]!, shape: expand.inputs[1]! } : { source: indices };
  }

  /** As int64, where those that count from the end have become positive. */
  #fromStart(indices: string): string {
    const builder = this.#builder;
    let positive = this.#positive.get(indices);
    if (positive === undefined) {
      positive = builder.op('Mod', [builder.as(indices, 'int64'), builder.scalar(this.#count, 'int64')]);
      this.#positive.set(indices, positive);
    }
    return positive;
  }
}
