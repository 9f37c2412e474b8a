import { type Node, opName } from '../graph.ts';
import { type GraphView, near } from '../view.ts';

export interface GeluMatch {
  input: string;
  output: string;
  approximate: 'none' | 'tanh';
  root: Node;
}

/** Finds the spellings of x·Φ(x) by Erf, and of its tanh approximation, exporters write. */
export function findGelus(view: GraphView): GeluMatch[] {
  const matches: GeluMatch[] = [];
  for (const node of view.graph.nodes) {
    const match = matchNode(view, node);
    if (match) matches.push(match);
  }
  return matches;
}

function matchNode(view: GraphView, node: Node): GeluMatch | undefined {
  switch (opName(node)) {
    case 'Erf': {
      const input = times(view, node.inputs[0]!, Math.SQRT1_2);
      return input === undefined ? undefined : closeGate(view, node, input, 'none');
    }
    case 'Tanh': {
      const input = tanhArgument(view, node.inputs[0]!);
      return input === undefined ? undefined : closeGate(view, node, input, 'tanh');
    }
    default:
      return undefined;
  }
}

/** x when `value` is x times `factor`, written as Mul or Div. */
function times(view: GraphView, value: string, factor: number): string | undefined {
  const node = view.producerOf(value, 'Mul', 'Div');
  const operand = node && view.scalarOperand(node);
  if (!operand || (node.op === 'Div' && operand.index === 0)) return undefined;
  return near(node.op === 'Div' ? 1 / operand.value : operand.value, factor) ? operand.other : undefined;
}

/** x when `value` is √(2/π)·(x + 0.044715·x³), or √(2/π)·x·(1 + 0.044715·x²) as Transformers' gelu_fast has it. */
function tanhArgument(view: GraphView, value: string): string | undefined {
  return tanhOfSum(view, value) ?? tanhOfProduct(view, value);
}

function tanhOfSum(view: GraphView, value: string): string | undefined {
  const sum = times(view, value, Math.sqrt(2 / Math.PI));
  const add = view.producerOf(sum, 'Add');
  if (!add) return undefined;
  for (const [index, x] of add.inputs.entries()) {
    const cube = times(view, add.inputs[1 - index]!, 0.044715);
    if (cube !== undefined && isCube(view, cube, x)) return x;
  }
  return undefined;
}

function tanhOfProduct(view: GraphView, value: string): string | undefined {
  const product = view.producerOf(value, 'Mul');
  for (const [index, factor] of product?.inputs.entries() ?? []) {
    const x = times(view, factor, Math.sqrt(2 / Math.PI));
    const sum = view.producerOf(product!.inputs[1 - index], 'Add');
    const one = sum && view.scalarOperand(sum);
    if (x !== undefined && one && near(one.value, 1) && isScaledSquare(view, one.other, x)) return x;
  }
  return undefined;
}

/** Whether `value` is 0.044715·x·x, multiplied from the left. */
function isScaledSquare(view: GraphView, value: string, x: string): boolean {
  const node = view.producerOf(value, 'Mul');
  const at = node?.inputs.indexOf(x) ?? -1;
  return at >= 0 && times(view, node!.inputs[1 - at]!, 0.044715) === x;
}

function isCube(view: GraphView, value: string, x: string): boolean {
  const node = view.producerOf(value, 'Pow', 'Mul');
  if (node?.op === 'Pow') return node.inputs[0] === x && near(view.scalar(node.inputs[1]), 3);
  const at = node?.inputs.indexOf(x) ?? -1;
  const square = at < 0 ? undefined : view.producerOf(node!.inputs[1 - at], 'Mul', 'Pow');
  if (square?.op === 'Pow') return square.inputs[0] === x && near(view.scalar(square.inputs[1]), 2);
  return square !== undefined && square.inputs[0] === x && square.inputs[1] === x;
}

/** From g = Erf or Tanh to x·½·(1 + g), whichever order its products are written in. */
function closeGate(
  view: GraphView,
  gate: Node,
  input: string,
  approximate: 'none' | 'tanh',
): GeluMatch | undefined {
  const plusOne = view.soleUser(gate.outputs[0]!);
  const one = plusOne?.op === 'Add' ? view.scalarOperand(plusOne) : undefined;
  if (!plusOne || !near(one?.value, 1)) return undefined;
  const first = view.soleUser(plusOne.outputs[0]!);
  if (first?.op !== 'Mul') return undefined;
  const operand = view.scalarOperand(first);
  const otherOf = (node: Node, value: string) => node.inputs[node.inputs[0] === value ? 1 : 0]!;
  if (operand) {
    // ½·(1 + g), then times x
    const last = view.soleUser(first.outputs[0]!);
    if (!near(operand.value, 0.5) || last?.op !== 'Mul' || otherOf(last, first.outputs[0]!) !== input)
      return undefined;
    return { input, output: last.outputs[0]!, approximate, root: last };
  }
  const other = otherOf(first, plusOne.outputs[0]!);
  // (x·½)·(1 + g)
  if (times(view, other, 0.5) === input)
    return { input, output: first.outputs[0]!, approximate, root: first };
  if (other !== input) return undefined;
  // x·(1 + g), then times ½
  const last = view.soleUser(first.outputs[0]!);
  if (!last || times(view, last.outputs[0]!, 0.5) !== first.outputs[0]) return undefined;
  return { input, output: last.outputs[0]!, approximate, root: last };
}
