import { scalarTensor, toAttribute } from '../builder.ts';
import { type DataType, type Graph, type Node, opName } from '../graph.ts';
import { elementsOf, type InferenceState } from '../infer/infer.ts';
import { removeDeadNodes } from '../rewrite.ts';
import { scalarOf } from '../view.ts';

/**
 * Takes out what exporters leave behind and no pattern should have to look through: Identity, Dropout of an
 * inference or training-mode export, casts, reshapes and slices to what a value is already, and arithmetic on
 * scalars that are known (sqrt of the head size taken from a Shape). A Slice of one position becomes a Gather.
 */
export function simplify(graph: Graph, inference: InferenceState): void {
  foldScalars(graph, inference);
  const sources = new Map<string, string>();
  for (const node of graph.nodes) {
    node.inputs = node.inputs.map((input) => sources.get(input) ?? input);
    if (opName(node) === 'Slice') gatherOnePosition(graph, node, inference);
    // a graph output keeps its name: its node stays
    if (isNoOp(graph, node, inference) && !graph.outputs.includes(node.outputs[0]!))
      sources.set(node.outputs[0]!, node.inputs[0]!);
  }
  removeDeadNodes(graph);
}

function isNoOp(graph: Graph, node: Node, inference: InferenceState): boolean {
  switch (opName(node)) {
    case 'Identity':
    case 'Dropout':
      return true;
    case 'Cast':
      return graph.types.get(node.inputs[0]!)?.dtype === graph.types.get(node.outputs[0]!)?.dtype;
    case 'Reshape':
    case 'Expand':
      return keepsDims(graph, node);
    case 'Slice': {
      const steps = node.inputs[4] ? elementsOf(node.inputs[4], graph, inference) : [];
      return keepsDims(graph, node) && (steps?.every((step) => step === 1) ?? false);
    }
    default:
      return false;
  }
}

function keepsDims(graph: Graph, node: Node): boolean {
  const from = graph.types.get(node.inputs[0]!)?.dims;
  const to = graph.types.get(node.outputs[0]!)?.dims;
  return from !== undefined && from.length === to?.length && from.every((dim, axis) => dim === to[axis]);
}

/** Turns a Slice that leaves one position of one axis into the Gather of it, as most exporters write it. */
function gatherOnePosition(graph: Graph, node: Node, inference: InferenceState): void {
  const [data, starts, , axes] = node.inputs as [string, string, string, string?];
  const positions = elementsOf(starts, graph, inference);
  const axis = axes ? elementsOf(axes, graph, inference) : undefined;
  const one = positions?.length === 1 && axis?.length === 1 ? axis[0] : undefined;
  const dims = graph.types.get(node.outputs[0]!)?.dims;
  if (typeof one !== 'number' || typeof positions![0] !== 'number' || dims?.at(one) !== 1) return;
  // where the axis has one position anyway, the start may lie before it
  if (graph.types.get(data)?.dims?.at(one) === 1) return;
  node.op = 'Gather';
  node.inputs = [data, starts];
  node.attributes = new Map([['axis', toAttribute(one)]]);
}

const arithmetic: Record<string, (a: number, b: number) => number> = {
  Add: (a, b) => a + b,
  Sub: (a, b) => a - b,
  Mul: (a, b) => a * b,
  Div: (a, b) => a / b,
  Pow: (a, b) => a ** b,
  Sqrt: Math.sqrt,
  Reciprocal: (a) => 1 / a,
  Cast: (a) => a,
  Unsqueeze: (a) => a,
  Squeeze: (a) => a,
};

/** Replaces float scalars that follow from constants and known dims by initializers. */
function foldScalars(graph: Graph, inference: InferenceState): void {
  const known = (name: string | undefined): number | undefined => {
    const tensor = name === undefined ? undefined : graph.initializers.get(name);
    if (tensor) return scalarOf(tensor);
    const elements = name === undefined ? undefined : inference.shapes.get(name);
    return elements?.length === 1 && typeof elements[0] === 'number' ? elements[0] : undefined;
  };
  for (const node of graph.nodes) {
    const output = node.outputs[0]!;
    const type = graph.types.get(output);
    const evaluate = node.domain === '' ? arithmetic[node.op] : undefined;
    if (!evaluate || !type?.dims || type.dims.some((dim) => dim !== 1) || !foldable.has(type.dtype)) continue;
    const a = known(node.inputs[0]);
    const b = node.inputs.length > 1 ? known(node.inputs[1]) : 0;
    if (a === undefined || b === undefined) continue;
    const dims = type.dims as number[];
    graph.initializers.set(output, { ...scalarTensor(evaluate(a, b), type.dtype), dims });
    node.outputs = ['']; // dead: its value is an initializer now
  }
  graph.nodes = graph.nodes.filter((node) => node.outputs[0] !== '' || node.outputs.length > 1);
}

const foldable: ReadonlySet<DataType> = new Set(['float32', 'float64']);
