import { intsAttribute } from '../../graph/graph.ts';
import type { GradientRule, RuleContext } from '../rule.ts';
import { multiplyByGemm, productGradients } from './gemm.ts';

/**
 * X·W with a matrix W: X's leading axes are rows like any other, so both gradients are one Gemm each
 * and no transposed copy is made.
 */
function matrixOnTheRight(at: RuleContext) {
  const [a, b] = [at.input(0), at.input(1)];
  const rows = (name: string) => {
    const rank = at.rank(name);
    return rank === 2 ? name : at.builder.op('Flatten', [name], { attributes: { axis: rank - 1 } });
  };
  const gradient = rows(at.outputGradient);
  const [byA, byB] = productGradients(at, gradient, {
    a: at.needs(1) ? rows(a) : a,
    b,
    transA: false,
    transB: false,
    multiply: multiplyByGemm(at),
  });
  return [byA && at.shapes.reshapeLike(byA, a), byB];
}

function multiplyByMatMul(at: RuleContext) {
  const turn = (name: string, transposed: boolean) => {
    if (!transposed) return name;
    const perm = Array.from({ length: at.rank(name) }, (_, axis) => axis);
    perm.push(...perm.splice(-2).reverse());
    // A transposed copy is made from the original, or is the original.
    const producer = at.producer(name);
    const given = producer?.op === 'Transpose' ? intsAttribute(producer, 'perm') : undefined;
    if (!producer || !given) return at.builder.op('Transpose', [name], { attributes: { perm } });
    const both = perm.map((axis) => given[axis]!);
    const original = producer.inputs[0]!;
    if (both.every((from, to) => from === to)) return original;
    return at.builder.op('Transpose', [original], { attributes: { perm: both } });
  };
  return (a: string, b: string, transA: boolean, transB: boolean) =>
    at.builder.op('MatMul', [turn(a, transA), turn(b, transB)]);
}

/** Every combination of ranks: rank 1 counts as a row on the left and as a column on the right. */
export const matMul: GradientRule = (at) => {
  const { builder } = at;
  const [a, b] = [at.input(0), at.input(1)];
  const [rankA, rankB] = [at.rank(a), at.rank(b)];
  if (rankA >= 2 && rankB === 2) return matrixOnTheRight(at);

  const added: number[] = [];
  if (rankA === 1) added.push(-2);
  if (rankB === 1) added.push(-1);
  const unsqueeze = (name: string, ...axes: number[]) =>
    builder.op('Unsqueeze', [name, builder.ints(...axes)]);
  const [byA, byB] = productGradients(
    at,
    added.length > 0 ? unsqueeze(at.outputGradient, ...added) : at.outputGradient,
    {
      a: rankA === 1 ? unsqueeze(a, 0) : a,
      b: rankB === 1 ? unsqueeze(b, 1) : b,
      transA: false,
      transB: false,
      multiply: multiplyByMatMul(at),
    },
  );
  // A row's gradient [..., 1, K] sums to [K] like any broadcast; a column's has its axis last.
  return [byA, byB && rankB === 1 ? builder.op('Squeeze', [byB, builder.ints(-1)]) : byB];
};
