import { extname } from 'node:path';
import { z } from 'zod';
import { resolveOptions } from '../../config/check.ts';
import { boolean, choice, describeFields, optionalText } from '../../config/fields.ts';
import type { Command } from '../command.ts';
import { csvText, jsonText, labelRows, numberRows } from '../prediction-rows.ts';
import { openResults } from '../results.ts';
import { readTexts } from '../texts.ts';
import { columnFields, trainedModelFields, withTrained } from '../trained-model-fields.ts';

const { text, textPair } = columnFields;

const predictSchema = z.strictObject({
  ...trainedModelFields,
  input: optionalText({
    group: 'Data',
    path: true,
    description: 'Texts to classify (default: standard input)',
  }),
  format: choice(
    ['auto', 'lines', 'csv', 'tsv', 'jsonl', 'parquet'],
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

/** `sesd-train predict`: labels and probabilities of texts, or numbers, in the order of the input. */
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
    await withTrained('predict', options, { err }, async (trained) => {
      const csv =
        outputFormat === 'auto' ? extname(output ?? '').toLowerCase() === '.csv' : outputFormat === 'csv';
      const predict =
        trained.problemType === 'regression' ? numberRows(trained, logits) : labelRows(trained, logits);
      if (input === undefined && process.stdin.isTTY) err.line('Reading texts, one a line; Ctrl-D ends.');
      const results = await openResults(output, out);
      try {
        let header = true;
        for await (const examples of readTexts({ path: input, format, text, textPair }, signal)) {
          for (let from = 0; from < examples.length && !results.isClosed; from += GROUP) {
            const group = examples.slice(from, from + GROUP);
            const rows = await predict(group, signal);
            await results.write(csv ? csvText(rows, { header }) : jsonText(rows));
            header = false;
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
