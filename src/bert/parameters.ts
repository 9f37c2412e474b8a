import type { Parameter } from '../engine/engine.ts';
import { type Graph, isFloat, opName, producers, type TensorData } from '../graph/graph.ts';
import { findRotaryTables } from './rotary-tables.ts';

/** A float tensor of the file that the logits depend on but that no training could change. */
export interface FrozenTensor {
  name: string;
  reason: string;
}

/** Float tensors of the file with more than one element that the logits read: the weights, and what cannot be one. */
export function findParameters(graph: Graph, inference: Graph): { names: string[]; frozen: FrozenTensor[] } {
  const names: string[] = [];
  const frozen: FrozenTensor[] = [];
  const reached = reachedWithoutAngles(graph);
  const rotary = findRotaryTables(graph);
  for (const [name, tensor] of graph.initializers) {
    if (!isFloat(tensor.dtype) || !isWeight(name, tensor) || !inference.initializers.has(name)) continue;
    if (tensor.dtype !== 'float32') frozen.push({ name, reason: `its type is ${tensor.dtype}` });
    else if (!reached.has(name)) frozen.push({ name, reason: 'it only sets the angles of rotary positions' });
    else if (rotary.has(name))
      frozen.push({ name, reason: 'it holds the cosines or sines of rotary positions' });
    else names.push(name);
  }
  return { names, frozen };
}

/**
 * What the logits read other than through Sin and Cos. The frequencies of rotary positions, which some exports hold as
 * a tensor of floats, are not among it; every weight is, as no encoder computes the sine of one.
 */
function reachedWithoutAngles(graph: Graph): Set<string> {
  const byOutput = producers(graph);
  const reached = new Set<string>();
  const pending = [...graph.outputs];
  for (let value = pending.pop(); value !== undefined; value = pending.pop()) {
    if (reached.has(value)) continue;
    reached.add(value);
    const node = byOutput.get(value);
    if (node && !['Sin', 'Cos'].includes(opName(node))) pending.push(...node.inputs);
  }
  return reached;
}

/** Scalars are constants of the arithmetic (ε, √d, a mask's fill), unless named as a bias of one element. */
function isWeight(name: string, tensor: TensorData): boolean {
  const size = tensor.dims.reduce((a, b) => a * b, 1);
  return tensor.dims.length > 0 && (size > 1 || /(^|[./])(bias|weight)$/.test(name));
}

/** What the engine needs to know of a weight. */
export function describeParameter(
  name: string,
  { dims }: TensorData,
  { head, learningRateScale }: { head: readonly string[]; learningRateScale: number },
): Parameter {
  return {
    name,
    dims,
    size: dims.reduce((a, b) => a * b, 1),
    decay: dims.length > 1 && !isBiasOfHeads(dims),
    group: head.includes(name) ? 'head' : 'body',
    learningRateScale,
  };
}

/** [1, heads, 1, head size]: what DeBERTa's query and value biases are folded to. */
function isBiasOfHeads(dims: readonly number[]): boolean {
  return dims.length === 4 && dims[0] === 1 && dims[2] === 1;
}
