import { stringAttribute } from '../graph.ts';
import { cannotLower, type Lowering } from './lowering.ts';

const activations = new Set(['Relu', 'Sigmoid', 'Tanh']);

/** com.microsoft::FusedGemm: an activation of a Gemm. */
export const fusedGemm: Lowering = (builder, node) => {
  const activation = stringAttribute(node, 'activation', '');
  if (!activations.has(activation)) {
    throw cannotLower(node, `has the activation '${activation}'; expected ${[...activations].join(', ')}`);
  }
  const product = builder.freshName('Gemm');
  builder.append({
    name: builder.freshName('node_Gemm'),
    op: 'Gemm',
    domain: '',
    inputs: [...node.inputs],
    outputs: [product],
    attributes: new Map([...node.attributes].filter(([name]) => !name.startsWith('activation'))),
  });
  return [builder.op(activation, [product])];
};
