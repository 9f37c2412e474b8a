import { flagOf } from '../config/fields.ts';
import type { TrainOptions } from '../config/train-options.ts';
import { type TaskName, tasks } from '../data/tasks/index.ts';
import { settingsFor } from '../data/tasks/settings.ts';
import { sampleTask } from '../data/tasks/wordnet-topics.ts';
import { embeddedModel } from './embedded-model.ts';

/** What is trained where the user named no model or no data, and the settings that come with a task. */
export function describeDefaults(options: TrainOptions): string[] {
  const { onnx, train, task } = options;
  const sample = task === undefined && train === undefined;
  const sampled = `the sample task (${sampleTask.description})`;
  const notices: string[] = [];
  if (onnx === undefined) {
    const model = `No --onnx: training the embedded ${embeddedModel.description}, with its own settings`;
    notices.push(sample ? `${model}, on ${sampled}.` : `${model}. A pretrained BERT is far better.`);
  } else if (sample) notices.push(`No --train: training on ${sampled}.`);
  if (task !== undefined) notices.push(describeTask(options, task));
  return notices;
}

/** The task's settings that are in force. */
function describeTask(options: TrainOptions, task: TaskName): string {
  const settings = settingsFor(tasks[task], options.strategy);
  const inForce = Object.entries(settings).filter(
    ([name, value]) => options[name as keyof TrainOptions] === value,
  );
  const flags = inForce.map(([name, value]) => `${flagOf(name)} ${value}`).join(' ');
  return `${tasks[task].title} is trained with ${flags}; flags and --config go before these.`;
}
