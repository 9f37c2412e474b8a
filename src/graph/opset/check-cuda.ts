import { SesdError } from '../../errors.ts';
import { quote } from '../../onnx/tensor.ts';
import { type Graph, type Node, opName } from '../graph.ts';
import { cudaKernelTable } from './cuda-kernels.ts';

/** The element types each input and output may have. */
interface Kernel {
  inputs: Formals;
  outputs: Formals;
}

interface Formals {
  types: readonly ReadonlySet<string>[];
  /** Whether the last may come any number of times. */
  repeated: boolean;
}

const kernels: ReadonlyMap<string, Kernel> = new Map(
  cudaKernelTable
    .trim()
    .split('\n')
    .map((line) => {
      const [name, , inputs, outputs, ...kinds] = line.split(' ') as [string, string, string, string];
      const types = new Map(
        (kinds as string[]).map((kind) => {
          const [key, names] = kind.split('=') as [string, string];
          return [key, new Set(names.split(','))];
        }),
      );
      return [name, { inputs: formals(inputs, types), outputs: formals(outputs, types) }];
    }),
);

function formals(text: string, types: ReadonlyMap<string, ReadonlySet<string>>): Formals {
  return {
    types: text
      .replace('*', '')
      .split(',')
      .map((kind) => types.get(kind) ?? new Set([kind])),
    repeated: text.endsWith('*'),
  };
}

/** Ops whose result is known without their input's elements. The runtime keeps it, and what follows from it, on the host. */
const shapeOps = new Set(['Shape', 'Size']);

/**
 * Holds every node of a graph to what the CUDA provider has kernels for, but those that only compute shapes: these are
 * cut off (cutShapes).
 *
 * @throws SesdError SESD_UNSUPPORTED_OP, naming the node and the type
 */
export function checkCuda(graph: Graph): void {
  const onHost = new Set<string>();
  for (const node of graph.nodes) {
    const inputs = node.inputs.filter((name) => name !== '' && !graph.initializers.has(name));
    const computesShapes = inputs.length > 0 && inputs.every((name) => onHost.has(name));
    if (computesShapes || shapeOps.has(opName(node))) for (const output of node.outputs) onHost.add(output);
    if (!computesShapes) checkNode(node, graph);
  }
}

function checkNode(node: Node, { types }: Graph): void {
  const kernel = kernels.get(opName(node));
  if (kernel === undefined) throw missing(node, '');
  for (const [what, names, formal] of [
    ['input', node.inputs, kernel.inputs],
    ['output', node.outputs, kernel.outputs],
  ] as const) {
    names.forEach((name, place) => {
      const dtype = name === '' ? undefined : types.get(name)?.dtype;
      const allowed = formal.types[formal.repeated ? Math.min(place, formal.types.length - 1) : place];
      if (dtype !== undefined && !allowed?.has(dtype))
        throw missing(node, ` with ${dtype} for ${what} ${place}`);
    });
  }
}

function missing(node: Node, types: string): SesdError {
  return new SesdError(
    'SESD_UNSUPPORTED_OP',
    `node ${quote(node.name)}: ONNX Runtime has no CUDA kernel of ${opName(node)}${types}`,
    { hint: 'Use --device cpu.' },
  );
}
