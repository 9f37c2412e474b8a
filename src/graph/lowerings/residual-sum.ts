import type { GraphBuilder } from '../builder.ts';

/** input + bias + skip, the bias belonging to the input. */
export function residualSum(
  builder: GraphBuilder,
  input: string,
  skip: string,
  bias: string | undefined,
): string {
  return builder.op('Add', [bias ? builder.op('Add', [input, bias]) : input, skip]);
}
