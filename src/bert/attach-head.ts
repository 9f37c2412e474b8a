import { SesdError } from '../errors.ts';
import { checkRunnable } from '../graph/check-runnable.ts';
import type { Graph } from '../graph/graph.ts';
import { removeDeadNodes } from '../graph/rewrite.ts';
import { GraphView } from '../graph/view.ts';
import { type Head, planHead } from './head.ts';
import type { BertInputs } from './inputs.ts';
import { findOutputs } from './outputs.ts';
import type { BertOptions } from './prepare.ts';

/** Puts the head on a graph and leaves out what it does not read: nodes, inputs, other outputs. */
export function attachHead(
  graph: Graph,
  inputs: BertInputs,
  options: BertOptions,
): { head: Head; dropped: readonly string[] } {
  const outputs = findOutputs(new GraphView(graph));
  const classes = options.classes ?? (outputs.vote ?? outputs.classifiers[0])?.classes;
  if (classes === undefined) {
    throw new SesdError(
      'SESD_BAD_MODEL',
      'The model has no classifier, and no labels say how large one should be.',
      {
        hint: 'Train it first: sesd-train --onnx MODEL --train FILE.',
      },
    );
  }
  const hidden = graph.types.get(outputs.hidden ?? outputs.pooled ?? '')?.dims?.at(-1);
  const head = planHead(outputs, {
    kind: options.head,
    classes,
    seed: options.seed,
    mask: inputs.inputs.find((input) => input.role === 'mask')?.name,
    hidden: typeof hidden === 'number' ? hidden : undefined,
    taken: (name) => graph.types.has(name) || graph.initializers.has(name),
    dims: (name) => graph.initializers.get(name)?.dims ?? [],
  });
  const own = head.kind === 'existing' || head.kind === 'resized';
  const dropped = own ? outputs.unrelated : graph.outputs;
  for (const [name, tensor] of head.initializers) {
    graph.initializers.set(name, tensor);
    graph.types.set(name, { dtype: tensor.dtype, dims: tensor.dims });
  }
  graph.nodes.push(
    ...head.nodes.map((node) => ({ ...node, inputs: [...node.inputs], outputs: [...node.outputs] })),
  );
  graph.outputs = [head.logits];
  removeDeadNodes(graph);
  checkRunnable(graph);
  graph.inputs = graph.inputs.filter((name) => graph.nodes.some((node) => node.inputs.includes(name)));
  inputs.inputs = inputs.inputs.filter((input) => graph.inputs.includes(input.name));
  return { head, dropped };
}
