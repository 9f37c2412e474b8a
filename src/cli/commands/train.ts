import type { TrainOptionsInput } from '../../config/train-options.ts';
import { trainFields } from '../../config/train-options.ts';
import type { SplitSummary } from '../../train/events.ts';
import type { TrainResult } from '../../train/run.ts';
import { shellWord } from '../../train/shell-word.ts';
import type { Command, Context } from '../command.ts';
import { count, duration, plural, table } from '../format.ts';
import { Progress } from '../progress.ts';
import { scoreColumns } from '../scores.ts';

/** `sesd-train [train]`: fine-tunes, and says how good the model is and where it lies. */
export const trainCommand: Command = {
  name: 'train',
  usage: ['train', '$0'],
  description: 'Fine-tune a BERT; without flags the embedded model on the sample task',
  fields: trainFields,
  examples: [
    { call: '$0', does: 'Embedded model, sample task' },
    { call: '$0 --onnx bert/ --train reviews.csv --dev 0.1', does: 'Your model, your data' },
    { call: '$0 --config run.yaml --seed 7', does: 'Flags go before the file' },
  ],
  async run(given, { out, err, signal }: Context): Promise<void> {
    const quiet = isOn(given.quiet);
    const json = isOn(given.json);
    const progress = new Progress(err);
    const { train } = await import('../../train/train.ts');
    let result: TrainResult;
    try {
      result = await train(given as TrainOptionsInput, {
        signal,
        onEvent(event) {
          if (json) out.line(JSON.stringify(event));
          if (!quiet) progress.show(event);
        },
      });
    } finally {
      progress.clear();
    }
    (json ? err : out).write(report(result));
  },
};

/** Of a flag that is read before the options are resolved. */
function isOn(value: unknown): boolean {
  return value === true || value === 'true';
}

function report(result: TrainResult): string {
  const { train, dev, test, further } = result;
  const measured = Object.entries({ train, dev, test, ...further }).filter(
    (entry): entry is [string, SplitSummary] => entry[1] !== undefined,
  );
  const { problemType, metric } = result.options;
  const { headings, cells } = scoreColumns(problemType, metric);
  const rows = measured.map(([split, summary]) => [split, count(summary.examples), ...cells(summary)]);
  return `
${table([['', 'examples', ...headings], ...rows])}

Trained: ${plural(result.steps, 'step')} in ${duration(result.seconds)}
Weights: ${origin(result)}
Model:   ${result.model}
Use it:  ${useOf(result)}
`;
}

function useOf({ model, pairs }: TrainResult): string {
  const predict = `npx sesd-train predict ${shellWord(model)}`;
  return pairs ? `${predict} pairs.csv` : `echo "some text" | ${predict}`;
}

function origin({ best, steps, options, runs = [] }: TrainResult): string {
  const model = {
    student: 'the student',
    teacher: `the teacher (${teacherOf(options)})`,
    se: 'the mean of the students',
    avg: `the mean of the weights of ${runs.length} runs`,
    vote: `the mean of the probabilities of ${runs.length} runs`,
  }[best.model];
  if (runs.length > 0) return model;
  if (best.metric === undefined) return `${model} after the last step`;
  const where = best.step === steps ? 'the last step' : `step ${count(best.step)}`;
  return `${model} after ${where}, the best on dev by ${best.metric}`;
}

function teacherOf({ strategy, window, poolSize }: TrainResult['options']): string {
  if (strategy === 'ema') return 'moving average of the students';
  return `mean of ${window === 'all' ? (poolSize ?? window) : window} past students`;
}
