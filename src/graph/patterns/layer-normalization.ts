import { floatAttribute, intAttribute, intsAttribute, type Node } from '../graph.ts';
import { type GraphView, near } from '../view.ts';

/** LayerNormalization over the last axis, as one op or spelled out. */
export interface LayerNormalizationMatch {
  input: string;
  scale: string;
  shift: string | undefined;
  epsilon: number;
  output: string;
  /** The node that makes `output`. */
  root: Node;
}

/** Finds `LayerNormalization` nodes and (x − mean)/√(var + ε)·γ + β, or without β, built of ReduceMean, Pow, Sqrt and Div. */
export function findLayerNormalizations(view: GraphView): LayerNormalizationMatch[] {
  const matches: LayerNormalizationMatch[] = [];
  for (const node of view.graph.nodes) {
    const match =
      node.op === 'LayerNormalization' && node.domain === ''
        ? matchOp(view, node)
        : matchDecomposed(view, node);
    if (match) matches.push(match);
  }
  return matches;
}

function matchOp(view: GraphView, node: Node): LayerNormalizationMatch | undefined {
  const [input, scale, shift] = node.inputs;
  if (!input || !scale) return undefined;
  const rank = view.rank(input);
  const axis = intAttribute(node, 'axis', -1);
  if (axis !== -1 && axis + 1 !== rank) return undefined;
  return {
    input,
    scale,
    shift: shift || undefined,
    epsilon: floatAttribute(node, 'epsilon', 1e-5),
    output: node.outputs[0]!,
    root: node,
  };
}

/** Matches from the last node: Mul(Div(d, Sqrt(Add(ReduceMean(d²), ε))), γ) with d = x − ReduceMean(x), or Add(that, β). */
function matchDecomposed(view: GraphView, last: Node): LayerNormalizationMatch | undefined {
  if (last.domain !== '') return undefined;
  if (last.op === 'Mul' && !shifted(view, last)) {
    const scaled = matchScaled(view, last);
    return scaled && { ...scaled, shift: undefined, output: last.outputs[0]!, root: last };
  }
  const shift = last.op === 'Add' ? last.inputs.find((input) => isVector(view, input)) : undefined;
  if (shift === undefined) return undefined;
  const scaled = matchScaled(view, view.producerOf(last.inputs[1 - last.inputs.indexOf(shift)], 'Mul'));
  return scaled && { ...scaled, shift, output: last.outputs[0]!, root: last };
}

/** Whether a vector is added to a node's result: its normalization ends there. */
function shifted(view: GraphView, node: Node): boolean {
  return view
    .users(node.outputs[0]!)
    .some((user) => user.op === 'Add' && user.inputs.some((input) => isVector(view, input)));
}

function matchScaled(
  view: GraphView,
  mul: Node | undefined,
): { input: string; epsilon: number; scale: string } | undefined {
  const scale = mul?.inputs.find((input) => isVector(view, input));
  if (mul === undefined || scale === undefined) return undefined;
  const core = matchNormalized(view, view.producer(mul.inputs[1 - mul.inputs.indexOf(scale)]));
  return core && { ...core, scale };
}

function matchNormalized(
  view: GraphView,
  divide: Node | undefined,
): { input: string; epsilon: number } | undefined {
  if (divide?.op !== 'Div') return undefined;
  const sqrt = view.producerOf(divide.inputs[1], 'Sqrt');
  const sum = sqrt && view.producerOf(sqrt.inputs[0], 'Add');
  const epsilon = sum && view.scalarOperand(sum);
  const variance = epsilon && view.producerOf(epsilon.other, 'ReduceMean');
  if (!variance || !overLastAxis(view, variance)) return undefined;
  const square = view.producerOf(variance.inputs[0], 'Pow', 'Mul');
  const centred = square && squared(view, square);
  const input = centred && centredInput(view, centred);
  if (!input || centredInput(view, divide.inputs[0]!) !== input) return undefined;
  return { input, epsilon: epsilon.value };
}

/** x when `value` is x − ReduceMean(x, last axis). */
function centredInput(view: GraphView, value: string): string | undefined {
  const sub = view.producerOf(value, 'Sub');
  const mean = sub && view.producerOf(sub.inputs[1], 'ReduceMean');
  return mean && overLastAxis(view, mean) && mean.inputs[0] === sub.inputs[0] ? sub.inputs[0] : undefined;
}

function squared(view: GraphView, node: Node): string | undefined {
  if (node.op === 'Mul') return node.inputs[0] === node.inputs[1] ? node.inputs[0] : undefined;
  return near(view.scalar(node.inputs[1]), 2) ? node.inputs[0] : undefined;
}

function overLastAxis(view: GraphView, node: Node): boolean {
  if (intAttribute(node, 'keepdims', 1) !== 1) return false;
  const axis = node.inputs[1] ? view.scalar(node.inputs[1]) : intsAttribute(node, 'axes')?.[0];
  return axis === -1 || (axis !== undefined && axis + 1 === view.rank(node.inputs[0]!));
}

function isVector(view: GraphView, value: string): boolean {
  return view.isInitializer(value) && view.rank(value) === 1;
}
