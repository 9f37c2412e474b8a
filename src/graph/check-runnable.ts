import { SesdError } from '../errors.ts';
import { type Graph, type Node, opName } from './graph.ts';

/** ai.onnx, the runtime's own ops and ours. */
const knownDomains = new Set(['', 'ai.onnx', 'com.microsoft', 'sesd']);

/**
 * Refuses ops no plan can hold, on the gradient's path or off it: control flow, and those of other libraries.
 * Called when all that the logits do not need is gone.
 *
 * @throws SesdError SESD_UNSUPPORTED_OP naming the node.
 */
export function checkRunnable(graph: Graph): void {
  for (const node of graph.nodes) {
    if (isControlFlow(node)) {
      throw new SesdError(
        'SESD_UNSUPPORTED_OP',
        `node '${node.name}' (${node.op}) is control flow: which of its nested graphs runs, or how often, is known only when it runs, and no gradient is taken through it`,
        {
          hint:
            'Export the model traced instead of scripted (torch.onnx.export of model.eval(), or Optimum). A branch or loop ' +
            'that is the same for every input goes when the file is simplified with onnxsim or onnxslim.',
        },
      );
    }
    if (!knownDomains.has(node.domain)) {
      throw new SesdError(
        'SESD_UNSUPPORTED_OP',
        `node '${node.name}' (${opName(node)}) is an operator of the domain ${node.domain}: what it computes is not known here, nor its gradient`,
        {
          hint: 'Export the model in standard operators (torch.onnx.export or Optimum, opset 14 to 18), without custom ones.',
        },
      );
    }
  }
}

/** An If whose condition is not known (resolveBranches), or what runs a nested graph any number of times. */
function isControlFlow(node: Node): boolean {
  return opName(node) === 'sesd::If' || [...node.attributes.values()].some(({ kind }) => kind === 'graph');
}
