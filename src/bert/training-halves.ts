import { setImmediate as turn } from 'node:timers/promises';
import { backward } from '../autodiff/backward.ts';
import { splitBackward } from '../autodiff/split.ts';
import { GraphBuilder } from '../graph/builder.ts';
import type { Graph } from '../graph/graph.ts';
import { newInference } from '../graph/infer/infer.ts';
import { hoistShapes } from '../graph/passes/hoist-shapes.ts';
import { type HalfType, mixPrecision } from '../graph/passes/mix-precision.ts';
import { cloneGraph, removeDeadNodes } from '../graph/rewrite.ts';

/** A forward pass and the gradients of its weights, as a graph each. */
export interface TrainingHalves {
  /** Outputs: the logits and the stash. */
  forward: Graph;
  /** Outputs: the gradients. */
  backward: Graph;
  /** Values of forward that backward reads. */
  stash: string[];
  /** Backward's input for the gradient of the logits. */
  dlogits: string;
  /** Output of backward by weight; weights that no gradient reaches are missing. */
  gradients: Map<string, string>;
}

export interface HalvesOptions {
  logits: string;
  /** Weights to find the gradients of. */
  wanted: readonly string[];
  /** Weights that are given in both halves, though not trained. */
  kept: Iterable<string>;
  /** Use the fused operators. */
  fused: boolean;
  /** Shapes follow from the graphs' inputs. */
  forCuda: boolean;
  /** What matrix products are computed in, if not float32. */
  half: HalfType | undefined;
}

/** Appends the backward pass to a forward graph, and cuts the whole in two. Lets the event loop turn in between. */
export async function trainingHalves(
  builder: GraphBuilder,
  { logits, wanted, kept, fused, forCuda, half }: HalvesOptions,
): Promise<TrainingHalves> {
  const { graph } = builder;
  const dlogits = 'sesd/dlogits';
  let forwardCount = graph.nodes.length;
  graph.types.set(dlogits, graph.types.get(logits)!);
  const gradients = backward(graph, builder, {
    outputs: new Map([[logits, dlogits]]),
    wrt: wanted,
    fused,
  });
  if (forCuda) hoistBackward(builder, forwardCount, dlogits);
  if (half) forwardCount = narrowProducts(builder, half, forwardCount, [logits, ...gradients.values()]);
  await turn();
  const weights = new Set([...gradients.keys(), ...kept]);
  return { ...split(graph, forwardCount, weights, gradients, dlogits, logits), dlogits };
}

/** Takes the shapes that the gradients read from the batch, too, so that no activation is kept for its shape. */
function hoistBackward({ graph, inference }: GraphBuilder, forwardCount: number, dlogits: string): void {
  const before = graph.nodes.slice(0, forwardCount);
  const given = [...graph.inputs, dlogits, ...before.flatMap(({ outputs }) => outputs.filter(Boolean))];
  const part = { ...graph, inputs: given, nodes: graph.nodes.slice(forwardCount) };
  hoistShapes(new GraphBuilder(part, inference), { from: graph.inputs, before });
  graph.nodes = [...before, ...part.nodes];
}

/** Returns the new number of forward nodes. What has become superfluous goes, so that nothing is kept for it. */
function narrowProducts(
  builder: GraphBuilder,
  half: HalfType,
  forwardCount: number,
  outputs: string[],
): number {
  const { graph } = builder;
  const parts = [graph.nodes.slice(0, forwardCount), graph.nodes.slice(forwardCount)];
  const [forward] = mixPrecision(builder, half, parts);
  const whole = { ...graph, outputs };
  removeDeadNodes(whole);
  graph.nodes = whole.nodes;
  const isForward = new Set(forward);
  return graph.nodes.filter((node) => isForward.has(node)).length;
}

function split(
  graph: Graph,
  forwardCount: number,
  weights: ReadonlySet<string>,
  gradients: ReadonlyMap<string, string>,
  dlogits: string,
  logits: string,
): Omit<TrainingHalves, 'dlogits'> {
  const { nodes, stash } = splitBackward(graph, forwardCount, weights);
  const forward: Graph = {
    ...cloneGraph(graph),
    nodes: graph.nodes.slice(0, forwardCount),
    outputs: [logits, ...stash.filter((name) => name !== logits)],
  };
  // An output is one value of its own: parameters that share a gradient get a copy each.
  const builder = new GraphBuilder({ ...graph, nodes }, newInference());
  const named = new Map<string, string>();
  for (const [name, gradient] of gradients)
    named.set(name, builder.op('Identity', [gradient], { name: `${name}.grad` }));
  const cut: Graph = {
    ...cloneGraph({ ...graph, nodes }),
    inputs: [...graph.inputs, dlogits, ...stash],
    outputs: [...named.values()],
  };
  removeDeadNodes(cut);
  removeDeadNodes(forward);
  return { forward, backward: cut, stash, gradients: named };
}
