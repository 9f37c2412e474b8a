import type { Example } from '../data/example.ts';
import { SesdError } from '../errors.ts';
import type { Classifier } from '../train/classifier.ts';
import type { Regressor } from '../train/regressor.ts';

/** One result: the object of a JSON line, and the cells of a csv row with their headings. */
export interface PredictionRow {
  object: object;
  cells: readonly (readonly [heading: string, value: string | number])[];
}

/** Results of texts, in their order. */
export type PredictRows = (examples: readonly Example[], signal: AbortSignal) => Promise<PredictionRow[]>;

/** Labels with their probabilities, and their logits if wanted. */
export function labelRows(classifier: Classifier, withLogits: boolean): PredictRows {
  const { labels } = classifier;
  return async (examples, signal) => {
    const found = await classifier.classify(examples, { signal });
    return found.map(({ label, score, probabilities, logits }, i) => {
      const shares = labels.map((name) => [name, rounded(probabilities[name]!)] as const);
      const best = { label, score: rounded(score) };
      return {
        object: {
          ...textsOf(examples[i]!),
          ...best,
          probabilities: Object.fromEntries(shares),
          ...(withLogits && { logits }),
        },
        cells: [
          ...textCells(examples[i]!),
          ...Object.entries(best),
          ...shares.map(([name, p]) => [`p_${name}`, p] as const),
          ...(withLogits ? labels.map((name, c) => [`logit_${name}`, logits[c]!] as const) : []),
        ],
      };
    });
  };
}

/**
 * The numbers that are predicted.
 * @throws SesdError SESD_USAGE when logits are wanted
 */
export function numberRows(regressor: Regressor, withLogits: boolean): PredictRows {
  if (withLogits) {
    throw new SesdError('SESD_USAGE', '--logits: this model predicts a number, which is its only logit.', {
      hint: 'Leave --logits out.',
    });
  }
  return async (examples, signal) => {
    const found = await regressor.predict(examples, { signal });
    return found.map(({ value }, i) => {
      const result = { value: rounded(value) };
      return {
        object: { ...textsOf(examples[i]!), ...result },
        cells: [...textCells(examples[i]!), ...Object.entries(result)],
      };
    });
  };
}

export function jsonText(rows: readonly PredictionRow[]): string {
  return rows.map(({ object }) => `${JSON.stringify(object)}\n`).join('');
}

/** @param header Whether the headings go first. */
export function csvText(rows: readonly PredictionRow[], { header }: { header: boolean }): string {
  const lines = rows.map(({ cells }) => csvLine(cells.map(([, value]) => value)));
  const [first] = rows;
  if (header && first) lines.unshift(csvLine(first.cells.map(([heading]) => heading)));
  return lines.join('');
}

function textsOf({ text, pair }: Example): object {
  return { text, ...(pair !== undefined && { textPair: pair }) };
}

function textCells({ text, pair }: Example): (readonly [string, string])[] {
  return [['text', text], ...(pair === undefined ? [] : [['text_pair', pair] as const])];
}

function csvLine(cells: readonly (string | number)[]): string {
  const quoted = cells.map((cell) => {
    const value = String(cell);
    return /[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
  });
  return `${quoted.join(',')}\n`;
}

/** What a float32 holds. */
function rounded(value: number): number {
  return Number(value.toPrecision(7));
}
