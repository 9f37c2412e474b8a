import { z } from 'zod';
import { resolveOptions } from '../../config/check.ts';
import { boolean, choice, describeFields, field, number, optionalText } from '../../config/fields.ts';
import { trainSchema } from '../../config/train-options.ts';
import { readExamples } from '../../data/read.ts';
import { SesdError } from '../../errors.ts';
import type { SplitSummary } from '../../train/events.ts';
import { type MetricName, metricOf } from '../../train/metric.ts';
import type { Soup } from '../../train/soup.ts';
import type { Command } from '../command.ts';
import { table } from '../format.ts';
import { columnFields } from '../trained-model-fields.ts';

const { metric, device, threads, runtime, fuse } = trainSchema.shape;

const soupSchema = z.strictObject({
  models: field(z.array(z.string().min(1)).optional(), {
    ...{ kind: 'text', group: 'Models', valueName: 'DIR…', path: true, many: true },
    ...{ description: 'Folders of runs, or of their models', expects: 'folders' },
  }),
  method: choice(
    ['uniform', 'greedy', 'wise'],
    { default: 'uniform' },
    {
      group: 'Models',
      description:
        'uniform: the mean of all; greedy: of those that help on --dev; wise: of one run and the weights it began with',
    },
  ),
  alpha: number(
    { min: 0, max: 1, default: 0.5 },
    { group: 'Models', description: 'Share of the fine-tuned weights in wise' },
  ),
  dev: optionalText({
    ...{ group: 'Data', valueName: 'FILE', path: true },
    description: 'Labelled examples to measure on: .csv, .tsv or .jsonl',
  }),
  ...columnFields,
  metric,
  output: optionalText({
    ...{ group: 'Output', valueName: 'DIR', path: true },
    description: 'Folder to make for the model',
  }),
  json: boolean({ default: false }, { group: 'Output', description: 'What went in and the metrics as JSON' }),
  ...{ device, threads, runtime, fuse },
});

/** `sesd-train soup`: one model from several that were trained from the same. */
export const soupCommand: Command = {
  name: 'soup',
  usage: ['soup [models..]'],
  description: 'Average trained models into one (model soups, WiSE-FT)',
  fields: describeFields(soupSchema),
  examples: [
    { call: '$0 soup runs/a runs/b runs/c --output soup', does: 'Mean of their weights' },
    { call: '$0 soup runs/* --method greedy --dev dev.csv --output soup', does: 'Of those that help on dev' },
    { call: '$0 soup runs/a --method wise --alpha 0.5 --output robust', does: 'Half way back to the start' },
  ],
  async run(given, { out, err, signal }): Promise<void> {
    const {
      models = [],
      output,
      dev,
      text,
      textPair,
      label,
      json,
      ...options
    } = resolveOptions(soupSchema, given);
    const { method } = options;
    const fewest = method === 'wise' ? 1 : 2;
    if (models.length < fewest || (method === 'wise' && models.length > 1)) {
      const wanted = method === 'wise' ? 'one run' : 'two models or more';
      throw new SesdError('SESD_USAGE', `--method ${method} takes ${wanted}, found ${models.length}.`, {
        hint: 'Name the folders of runs: sesd-train soup runs/a runs/b --output soup.',
      });
    }
    if (method === 'greedy' && dev === undefined) {
      throw new SesdError('SESD_USAGE', '--method greedy needs examples to choose by.', {
        hint: 'Name them with --dev FILE.',
      });
    }
    if (output === undefined) {
      throw new SesdError('SESD_USAGE', 'soup needs a folder to write the model to.', {
        hint: 'Name one with --output DIR.',
      });
    }
    const columns = { ...(text && { text }), ...(textPair && { textPair }), ...(label && { label }) };
    const examples =
      dev === undefined
        ? undefined
        : { name: dev, examples: (await readExamples(dev, { ...columns, flag: '--dev' })).examples };
    const { makeSoup } = await import('../../train/soup.ts');
    const soup = await makeSoup(models, output, {
      ...options,
      dev: examples,
      signal,
      onNotice: (message) => err.line(message),
    });
    await out.writeAll(json ? `${JSON.stringify(plain(soup))}\n` : report(soup, output, options.metric));
  },
};

function plain({ ingredients, alone, dev }: Soup): object {
  return { ingredients, ...(alone && { alone: Object.fromEntries(alone) }), dev };
}

function report({ ingredients, alone, dev }: Soup, output: string, metric: MetricName): string {
  const row = (name: string, scores: SplitSummary) => [
    name,
    metricOf(scores, metric).toFixed(4),
    scores.loss.toFixed(4),
  ];
  const rows = [...(alone ?? [])].map(([folder, scores]) =>
    row(`${ingredients.includes(folder) ? '+' : ' '} ${folder}`, scores),
  );
  if (dev) rows.push(row('  the soup', dev));
  const measured = rows.length > 0 ? `${table([['dev', metric, 'loss'], ...rows])}\n\n` : '';
  return `${measured}Made of: ${ingredients.join(', ')}\nModel:   ${output}\n`;
}
