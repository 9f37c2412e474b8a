import type { Example } from './example.ts';
import { dataError } from './formats/format.ts';
import type { Target } from './target.ts';

const decimal = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/** A number, predicted by the one logit itself: a regression. */
export const numberTarget: Target = {
  /** As transformers calls the one output of a regression. */
  names: ['LABEL_0'],
  id2label: { 0: 'LABEL_0' },
  label2id: { LABEL_0: 0 },
  encode: (examples, file) => Float64Array.from(examples, (example) => numberOf(example, file)),
};

function numberOf({ label, line }: Example, file: string): number {
  if (label === undefined) throw dataError(file, line, 'the label is missing');
  const value = Number(label);
  if (decimal.test(label) && Number.isFinite(value)) return value;
  throw dataError(file, line, `the label ${JSON.stringify(label)} is not a number`, {
    hint: 'A regression needs numbers such as 3 or 0.25; check --label, or leave out --problem-type regression.',
  });
}
