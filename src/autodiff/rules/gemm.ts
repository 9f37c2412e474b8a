import { floatAttribute, intAttribute } from '../../graph/graph.ts';
import type { GradientRule, RuleContext } from '../rule.ts';

/** A product of two operands, each possibly transposed, under the op that computes it. */
interface Product {
  a: string;
  b: string;
  transA: boolean;
  transB: boolean;
  multiply(a: string, b: string, transA: boolean, transB: boolean): string;
}

/** Gradients of op(A)·op(B) as products of the same kind, with flags in the place of transposed copies. */
export function productGradients(
  at: RuleContext,
  gradient: string,
  { a, b, transA, transB, multiply }: Product,
): [string | undefined, string | undefined] {
  let byA: string | undefined;
  let byB: string | undefined;
  if (at.needs(0)) byA = transA ? multiply(b, gradient, transB, true) : multiply(gradient, b, false, !transB);
  if (at.needs(1)) byB = transB ? multiply(gradient, a, true, transA) : multiply(a, gradient, !transA, false);
  return [byA, byB];
}

/** A Gemm without addend; alpha 1 is left out. */
export function multiplyByGemm(at: RuleContext, alpha = 1): Product['multiply'] {
  return (a, b, transA, transB) =>
    at.builder.op('Gemm', [a, b], {
      attributes: {
        alpha: alpha === 1 ? undefined : { float: alpha },
        transA: transA ? 1 : undefined,
        transB: transB ? 1 : undefined,
      },
    });
}

/** Y = α·op(A)·op(B) + β·C. */
export const gemm: GradientRule = (at) => {
  const gradient = at.outputGradient;
  const flag = (name: string) => intAttribute(at.node, name, 0) !== 0;
  const [byA, byB] = productGradients(at, gradient, {
    a: at.input(0),
    b: at.input(1),
    transA: flag('transA'),
    transB: flag('transB'),
    multiply: multiplyByGemm(at, floatAttribute(at.node, 'alpha', 1)),
  });
  const beta = floatAttribute(at.node, 'beta', 1);
  let byC: string | undefined;
  if (at.needs(2)) byC = beta === 1 ? gradient : at.builder.op('Mul', [gradient, at.scalar(beta)]);
  return [byA, byB, byC];
};
