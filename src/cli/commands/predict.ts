import { extname } from 'node:path';
import { z } from 'zod';
import { resolveOptions } from '../../config/check.ts';
import { boolean, choice, describeFields, optionalText } from '../../config/fields.ts';
import type { Example } from '../../data/example.ts';
import type { Classification } from '../../train/classifier.ts';
import { classifierFields, columnFields, withClassifier } from '../classifier-fields.ts';
import type { Command } from '../command.ts';
import { openResults } from '../results.ts';
import { readTexts } from '../texts.ts';

const { text, textPair } = columnFields;

const predictSchema = z.strictObject({
  ...classifierFields,
  input: optionalText({
    group: 'Data',
    path: true,
    description: 'Texts to classify (default: standard input)',
  }),
  format: choice(
    ['auto', 'lines', 'csv', 'tsv', 'jsonl'],
    { default: 'auto' },
    { group: 'Data', description: 'Format of the input; auto: by its extension, else lines, one text each' },
  ),
  text,
  textPair,
  output: optionalText({
    group: 'Output',
    path: true,
    description: 'File to write (default: standard output)',
  }),
  outputFormat: choice(
    ['auto', 'jsonl', 'csv'],
    { default: 'auto' },
    { group: 'Output', description: 'Format of the output; auto: by the extension of --output, else jsonl' },
  ),
  logits: boolean({ default: false }, { group: 'Output', description: 'Logits as well' }),
});

/** Texts that are classified before anything is written: enough to batch them by length. */
const GROUP = 256;

/** `sesd-train predict`: labels and probabilities of texts, in the order of the input. */
export const predictCommand: Command = {
  name: 'predict',
  usage: ['predict [model] [input]'],
  description: 'Classify texts from a file or a pipe',
  fields: describeFields(predictSchema),
  examples: [
    { call: 'echo "some text" | $0 predict runs/mine', does: 'One JSON object for each line' },
    { call: '$0 predict runs/mine mails.csv --output labels.csv', does: 'From file to file' },
  ],
  async run(given, { out, err, signal }): Promise<void> {
    const { input, format, text, textPair, output, outputFormat, logits, ...options } = resolveOptions(
      predictSchema,
      given,
    );
    await withClassifier('predict', options, async (classifier) => {
      const csv =
        outputFormat === 'auto' ? extname(output ?? '').toLowerCase() === '.csv' : outputFormat === 'csv';
      const row = csv ? csvRow(classifier.labels, logits) : (each: Row) => jsonRow(each, logits);
      if (input === undefined && process.stdin.isTTY) err.line('Reading texts, one a line; Ctrl-D ends.');
      const results = await openResults(output, out);
      try {
        let header = csv;
        for await (const examples of readTexts({ path: input, format, text, textPair }, signal)) {
          for (let from = 0; from < examples.length && !results.isClosed; from += GROUP) {
            const group = examples.slice(from, from + GROUP);
            const found = await classifier.classify(group, { signal });
            const rows = group.map((example, i) => row({ example, ...found[i]! }));
            if (header) rows.unshift(csvHeader(classifier.labels, group[0]!, logits));
            header = false;
            await results.write(rows.join(''));
          }
          if (results.isClosed) break;
        }
        await results.finish();
      } finally {
        await results.discard();
      }
    });
  },
};

type Row = Classification & { example: Example };

function jsonRow({ example, label, score, probabilities, logits }: Row, withLogits: boolean): string {
  const { text, pair } = example;
  const object = {
    text,
    ...(pair !== undefined && { textPair: pair }),
    label,
    score: rounded(score),
    probabilities: Object.fromEntries(Object.entries(probabilities).map(([name, p]) => [name, rounded(p)])),
    ...(withLogits && { logits }),
  };
  return `${JSON.stringify(object)}\n`;
}

function csvHeader(labels: readonly string[], { pair }: Example, withLogits: boolean): string {
  const names = ['text', ...(pair === undefined ? [] : ['text_pair']), 'label', 'score'];
  const logits = withLogits ? labels.map((label) => `logit_${label}`) : [];
  return csvLine([...names, ...labels.map((label) => `p_${label}`), ...logits]);
}

function csvRow(labels: readonly string[], withLogits: boolean): (row: Row) => string {
  return ({ example, label, score, probabilities, logits }) =>
    csvLine([
      example.text,
      ...(example.pair === undefined ? [] : [example.pair]),
      label,
      rounded(score),
      ...labels.map((name) => rounded(probabilities[name]!)),
      ...(withLogits ? logits : []),
    ]);
}

function csvLine(cells: readonly (string | number)[]): string {
  const quoted = cells.map((cell) => {
    const value = String(cell);
    return /[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
  });
  return `${quoted.join(',')}\n`;
}

/** What a float32 holds. */
function rounded(probability: number): number {
  return Number(probability.toPrecision(7));
}
