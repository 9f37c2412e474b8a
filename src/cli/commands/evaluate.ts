import { z } from 'zod';
import { resolveOptions } from '../../config/check.ts';
import { boolean, describeFields, optionalText } from '../../config/fields.ts';
import { readExamples } from '../../data/read.ts';
import { SesdError } from '../../errors.ts';
import type { ClassificationMetrics } from '../../metrics/classification.ts';
import type { RegressionMetrics } from '../../metrics/regression.ts';
import type { Command } from '../command.ts';
import { count, percent, table } from '../format.ts';
import { columnFields, trainedModelFields, withTrained } from '../trained-model-fields.ts';

const evaluateSchema = z.strictObject({
  ...trainedModelFields,
  test: optionalText({ group: 'Data', path: true, description: 'Labelled examples: .csv, .tsv or .jsonl' }),
  ...columnFields,
  json: boolean({ default: false }, { group: 'Output', description: 'The metrics as JSON' }),
});

/** `sesd-train evaluate`: how good a trained model is on labelled examples. */
export const evaluateCommand: Command = {
  name: 'evaluate',
  usage: ['evaluate [model] [test]'],
  description: 'Measure a trained model on labelled examples',
  fields: describeFields(evaluateSchema),
  examples: [
    { call: '$0 evaluate runs/mine test.csv', does: 'Accuracy, F1 of each label, confusion matrix' },
  ],
  async run(given, { out, err, signal }): Promise<void> {
    const { test, text, textPair, label, json, ...options } = resolveOptions(evaluateSchema, given);
    if (test === undefined) {
      throw new SesdError('SESD_USAGE', 'evaluate needs labelled examples.', {
        hint: 'Name a file with --test FILE.',
      });
    }
    const columns = { ...(text && { text }), ...(textPair && { textPair }), ...(label && { label }) };
    const { examples } = await readExamples(test, { ...columns, flag: '--test' });
    await withTrained('evaluate', options, { err }, async (trained) => {
      if (trained.problemType === 'regression') {
        const metrics = await trained.evaluate(examples, { name: test, signal });
        await out.writeAll(json ? `${JSON.stringify(metrics)}\n` : describeNumbers(metrics));
        return;
      }
      const metrics = await trained.evaluate(examples, { name: test, signal });
      const { labels } = trained;
      await out.writeAll(
        json ? `${JSON.stringify({ ...metrics, labels })}\n` : describeLabels(metrics, labels, out.columns),
      );
    });
  },
};

function describeNumbers({ examples, pearson, spearman, rmse, mae }: RegressionMetrics): string {
  return `Examples  ${count(examples)}
Pearson   ${pearson.toFixed(4)}
Spearman  ${spearman.toFixed(4)}
RMSE      ${rmse.toFixed(4)}
MAE       ${mae.toFixed(4)}
`;
}

function describeLabels(metrics: ClassificationMetrics, labels: readonly string[], width: number): string {
  const { examples, accuracy, macroF1, weightedF1, mcc, ece, loss, perClass, confusion } = metrics;
  const ofLabels = perClass.map(({ precision, recall, f1, support }, i) => [
    labels[i]!,
    precision.toFixed(3),
    recall.toFixed(3),
    f1.toFixed(3),
    count(support),
  ]);
  const matrix = table([
    ['label \\ predicted', ...labels],
    ...confusion.map((row, i) => [labels[i]!, ...row.map(count)]),
  ]);
  // A matrix that wraps can't be read; --json has it whatever its size.
  const fits = matrix.split('\n').every((line) => line.length <= Math.max(width, 100));
  return `Examples  ${count(examples)}
Accuracy  ${percent(accuracy)}
Macro F1  ${macroF1.toFixed(4)}
Wtd. F1   ${weightedF1.toFixed(4)}
MCC       ${mcc.toFixed(4)}
Loss      ${loss.toFixed(4)}
ECE       ${ece.toFixed(4)}

${table([['label', 'precision', 'recall', 'F1', 'examples'], ...ofLabels])}
${fits ? `\n${matrix}\n` : ''}`;
}
