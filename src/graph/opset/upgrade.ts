import { SesdError } from '../../errors.ts';
import type { Attribute, Node } from '../graph.ts';
import { intAttribute, intsAttribute, opName } from '../graph.ts';

/** What a conversion may ask for and make. */
export interface UpgradeContext {
  /** Name of an initializer with these int64 elements. */
  ints(values: readonly number[]): string;
  /** Name of a float32 scalar initializer. */
  float(value: number): string;
  freshName(hint: string): string;
  rank(value: string): number | undefined;
}

/** Oldest and newest ai.onnx opset this package reads. */
export const OLDEST_OPSET = 11;
export const NEWEST_OPSET = 24;

/**
 * A node written in ai.onnx opset `from` as nodes of opset 18 (source: the ONNX operator changelog). Ops that
 * only widened their types between the two stay as they are; so do ops newer than 18 (Gelu, Attention,
 * RMSNormalization, RotaryEmbedding, Swish), which have lowerings.
 */
export function upgradeNode(node: Node, from: number, context: UpgradeContext): Node[] {
  if (node.domain !== '') return [node];
  refuseRedefined(node, from);
  switch (node.op) {
    case 'Squeeze':
    case 'Unsqueeze':
    case 'ReduceSum':
      return [from < 13 ? axesToInput(node, context) : node];
    case 'ReduceL1':
    case 'ReduceL2':
    case 'ReduceLogSum':
    case 'ReduceLogSumExp':
    case 'ReduceMax':
    case 'ReduceMean':
    case 'ReduceMin':
    case 'ReduceProd':
    case 'ReduceSumSquare':
      return [from < 18 ? axesToInput(node, context) : node];
    case 'Split':
      return [from < 18 ? upgradeSplit(node, from, context) : node];
    case 'Dropout':
      return [from < 12 ? ratioToInput(node, context) : node];
    case 'Softmax':
    case 'LogSoftmax':
    case 'Hardmax':
      return from < 13 ? upgradeSoftmax(node, context) : [node];
    case 'Cast':
    case 'CastLike':
      // Only conversions to 8-bit floats read `saturate` (19), and no kernel of ours makes those.
      return [from > 18 ? without(node, 'saturate') : node];
    default:
      return [node];
  }
}

/** Ops whose meaning changed after 18: their opset-18 form would compute something else. */
const redefined: Readonly<Record<string, number>> = { GroupNormalization: 21, DFT: 20, GridSample: 20 };

function refuseRedefined(node: Node, from: number): void {
  const since = redefined[node.op];
  if (since !== undefined && from >= since) {
    throw new SesdError(
      'SESD_UNSUPPORTED_OP',
      `node '${node.name}' (${opName(node)}) is written in opset ${from}, where this op means something else than in opset 18`,
      { hint: 'Export the model with opset 18.' },
    );
  }
}

function without(node: Node, ...names: string[]): Node {
  const attributes = new Map(node.attributes);
  for (const name of names) attributes.delete(name);
  return { ...node, attributes };
}

function axesToInput(node: Node, context: UpgradeContext): Node {
  const axes = intsAttribute(node, 'axes');
  if (axes === undefined) return node;
  return { ...without(node, 'axes'), inputs: [node.inputs[0] ?? '', context.ints(axes)] };
}

function upgradeSplit(node: Node, from: number, context: UpgradeContext): Node {
  const sizes = from < 13 ? intsAttribute(node, 'split') : undefined;
  if (sizes !== undefined) {
    return { ...without(node, 'split'), inputs: [node.inputs[0] ?? '', context.ints(sizes)] };
  }
  if (node.inputs[1]) return node;
  // Before 18 the number of outputs alone said into how many equal parts.
  const attributes = new Map<string, Attribute>(node.attributes);
  attributes.set('num_outputs', { kind: 'int', value: BigInt(node.outputs.length) });
  return { ...node, attributes };
}

function ratioToInput(node: Node, context: UpgradeContext): Node {
  const ratio = node.attributes.get('ratio');
  if (ratio?.kind !== 'float') return node;
  return { ...without(node, 'ratio'), inputs: [node.inputs[0] ?? '', context.float(ratio.value)] };
}

/**
 * Before 13 these normalised over all axes from `axis` (1 by default) on, as if flattened to a matrix. For
 * the last axis that is what they do now; else the flattening is written out.
 */
function upgradeSoftmax(node: Node, context: UpgradeContext): Node[] {
  const axis = intAttribute(node, 'axis', 1);
  const x = node.inputs[0] ?? '';
  const attributes = new Map<string, Attribute>(node.attributes);
  attributes.set('axis', { kind: 'int', value: -1n });
  if (axis === -1 || axis + 1 === context.rank(x)) return [{ ...node, attributes }];

  const [shape, flat, normalised] = ['shape', 'flat', 'normalised'].map((part) =>
    context.freshName(`${node.outputs[0]}/${part}`),
  ) as [string, string, string];
  const make = (op: string, inputs: string[], output: string, attributes: Node['attributes']): Node => ({
    name: output === node.outputs[0] ? node.name : output,
    op,
    domain: '',
    inputs,
    outputs: [output],
    attributes,
  });
  return [
    make('Shape', [x], shape, new Map()),
    make('Flatten', [x], flat, new Map([['axis', { kind: 'int', value: BigInt(axis) }]])),
    make(node.op, [flat], normalised, attributes),
    make('Reshape', [normalised, shape], node.outputs[0]!, new Map()),
  ];
}
