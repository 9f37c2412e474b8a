import { GraphBuilder } from '../../../graph/builder.ts';
import { CANONICAL_OPSET, type DataType, type Graph } from '../../../graph/graph.ts';
import { newInference } from '../../../graph/infer/infer.ts';

/** What numbers are kept as on the device. */
export type Stored = 'float32' | 'bfloat16';

const BETA1 = 0.9;
const BETA2 = 0.999;
const EPSILON = 1e-8;

/** y ← x, in the type y is stored in. */
export function copyPass(from: Stored, to: Stored): Graph {
  return pass({ x: from }, [], (b) => ({ y: cast(b, 'x', from, to) }));
}

/** a ← a + x */
export function addPass(): Graph {
  return pass({ a: 'float32', x: 'float32' }, [], (b) => ({ "a'": b.op('Add', ['a', 'x']) }));
}

/** a ← factor·a */
export function scalePass(): Graph {
  return pass({ a: 'float32' }, ['factor'], (b) => ({ "a'": b.op('Mul', ['a', 'factor']) }));
}

/** Zeros. @param type of the vector `y`, as long as `length` [1] says */
export function zerosGraph(type: Stored): Graph {
  const { graph, builder } = start({ length: { dtype: 'int64', dims: [1] } });
  const bytes = new Uint8Array(type === 'float32' ? 4 : 2);
  const value = { dtype: type, dims: [1], bytes };
  graph.outputs = [builder.op('ConstantOfShape', ['length'], { name: 'y', attributes: { value } })];
  return graph;
}

/**
 * Sum of squares `y` [] of a vector whose length is a multiple of 16: 16 at a time in float32, the rest in float64.
 */
export function squaresPass(): Graph {
  return pass({ x: 'float32' }, [], (b) => {
    const rows = b.op('Reshape', ['x', b.ints(-1, 16)]);
    const sums = b.op('ReduceSumSquare', [rows, b.ints(1)], { attributes: { keepdims: 0 } });
    const total = b.op('ReduceSum', [cast(b, sums, 'float32', 'float64')], { attributes: { keepdims: 0 } });
    return { y: cast(b, total, 'float64', 'float32') };
  });
}

/**
 * AdamW: with g ← scale·g, m ← β₁m + (1−β₁)g, v ← β₂v + (1−β₂)g², then p ← decay·p − size·m/(√v·root + ε), where `size` and
 * `root` have the corrections of the step in them.
 */
export function adamWPass(): Graph {
  const vectors = { p: 'float32', m: 'float32', v: 'float32', g: 'float32' } as const;
  return pass(vectors, ['scale', 'decay', 'size', 'root'], (b) => {
    const mul = (x: string, y: string) => b.op('Mul', [x, y]);
    const add = (x: string, y: string) => b.op('Add', [x, y]);
    const g = mul('g', 'scale');
    const m = add(mul('m', b.scalar(BETA1)), mul(g, b.scalar(1 - BETA1)));
    const v = add(mul('v', b.scalar(BETA2)), mul(mul(g, b.scalar(1 - BETA2)), g));
    const root = add(mul(b.op('Sqrt', [v]), 'root'), b.scalar(EPSILON));
    const step = b.op('Div', [mul(m, 'size'), root]);
    return { "p'": b.op('Sub', [mul('p', 'decay'), step]), "m'": m, "v'": v };
  });
}

/** a ← a + weight·(x − a) */
export function blendPass(): Graph {
  return pass({ a: 'float32', x: 'float32' }, ['weight'], (b) => {
    const step = b.op('Mul', [b.op('Sub', ['x', 'a']), 'weight']);
    return { "a'": b.op('Add', ['a', step]) };
  });
}

/** a ← mean of `count` vectors, x the last of them; r keeps in bfloat16 what float32 rounds off. */
export function runningMeanPass(): Graph {
  return pass({ a: 'float32', r: 'bfloat16', x: 'float32' }, ['count'], (b) => {
    const wide = (name: string, from: DataType) => cast(b, name, from, 'float64');
    const old = b.op('Add', [wide('a', 'float32'), wide('r', 'bfloat16')]);
    const step = b.op('Div', [b.op('Sub', [wide('x', 'float32'), old]), wide('count', 'float32')]);
    const value = b.op('Add', [old, step]);
    const kept = cast(b, value, 'float64', 'float32');
    const rest = b.op('Sub', [value, wide(kept, 'float32')]);
    return { "a'": kept, "r'": cast(b, cast(b, rest, 'float64', 'float32'), 'float32', 'bfloat16') };
  });
}

/** y ← mean of x0, x1, …, summed in float64. */
export function meanPass(sources: readonly Stored[]): Graph {
  const vectors = Object.fromEntries(sources.map((type, index) => [`x${index}`, type]));
  return pass(vectors, [], (b) => {
    const wide = sources.map((type, index) => cast(b, `x${index}`, type, 'float64'));
    const sum = wide.reduce((total, each) => b.op('Add', [total, each]));
    const mean = b.op('Div', [sum, b.scalar(sources.length, 'float64')]);
    return { y: cast(b, mean, 'float64', 'float32') };
  });
}

/**
 * A pass over vectors of one length, element by element, in stock ops. An output with a prime may lie over the input of
 * that name: the node that writes it comes after all that read the input.
 * @param build makes the values of the outputs, by their names
 */
function pass(
  vectors: Readonly<Record<string, Stored>>,
  scalars: readonly string[],
  build: (builder: GraphBuilder) => Record<string, string>,
): Graph {
  const { graph, builder } = start({
    ...Object.fromEntries(
      Object.entries(vectors).map(([name, dtype]) => [name, { dtype, dims: ['n'] }] as const),
    ),
    ...Object.fromEntries(scalars.map((name) => [name, { dtype: 'float32', dims: [] }] as const)),
  });
  const values = build(builder);
  graph.outputs = Object.keys(values);
  rename(graph, new Map(Object.entries(values).map(([name, value]) => [value, name])));
  return graph;
}

function start(types: Record<string, { dtype: DataType; dims: readonly (number | string)[] }>) {
  const graph: Graph = {
    opset: CANONICAL_OPSET,
    inputs: Object.keys(types),
    outputs: [],
    initializers: new Map(),
    nodes: [],
    types: new Map(Object.entries(types)),
  };
  return { graph, builder: new GraphBuilder(graph, newInference()) };
}

function rename(graph: Graph, names: ReadonlyMap<string, string>): void {
  const renamed = (name: string) => names.get(name) ?? name;
  for (const node of graph.nodes) {
    node.inputs = node.inputs.map(renamed);
    node.outputs = node.outputs.map(renamed);
  }
  for (const [old, name] of names) graph.types.set(name, graph.types.get(old)!);
}

function cast(builder: GraphBuilder, value: string, from: DataType, to: DataType): string {
  // An output is a value of its own, also where it is the same.
  if (from === to) return builder.op('Identity', [value]);
  return builder.cast(value, to);
}
