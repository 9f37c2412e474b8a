import { join } from 'node:path';
import type { TrainOptions } from '../config/train-options.ts';
import type { EncodedExample } from '../data/example.ts';
import { openMean, voteOn } from './combine.ts';
import { inferAll } from './evaluate.ts';
import type { ConfigEvent, EmitEvent, RunEvent, SplitSummary, TrainSummary } from './events.ts';
import { exportVote } from './export-vote.ts';
import { metricOf } from './metric.ts';
import { exportExtras } from './problem.ts';
import type { RunHooks } from './run.ts';
import type { RunData } from './run-data.ts';
import type { RunFolder } from './run-folder.ts';
import { readTrained } from './trained-model.ts';

type Run = RunEvent & { config: ConfigEvent; summary: TrainSummary };

interface Context {
  options: TrainOptions;
  hooks: RunHooks;
  data: RunData;
  folder: RunFolder;
  emit: EmitEvent;
}

/** Measures what finished runs make together on each split there is, writes it to model/ and sums the run up. */
export async function combineRuns(runs: readonly Run[], context: Context): Promise<TrainSummary> {
  const started = performance.now();
  const { options, folder, emit } = context;
  const name = options.strategy as 'avg' | 'vote';
  const steps = runs.reduce((sum, { summary }) => sum + summary.steps, 0);
  const measured = await combine(runs, context);
  for (const [split, summary] of measured)
    emit({ type: 'eval', step: steps, split, model: name, ...summary, final: true });

  const { metric } = options;
  const { train, dev, test, ...further } = Object.fromEntries(measured);
  const seconds = runs.reduce((sum, { summary }) => sum + summary.seconds, 0);
  const summary: TrainSummary = {
    steps,
    best: { step: steps, model: name, ...(dev && { metric, value: metricOf(dev, metric) }) },
    ...(train && { train }),
    ...(dev && { dev }),
    ...(test && { test }),
    ...(Object.keys(further).length > 0 && { further }),
    seconds: Number((seconds + (performance.now() - started) / 1000).toFixed(1)),
    runs: runs.map(({ seed, folder, summary }) => ({ ...summary, seed, folder })),
  };
  const labels = runs[0]!.config.labels;
  await folder.writeSummary({ ...summary, labels, model: folder.model });
  emit({ type: 'done', ...summary });
  return summary;
}

async function combine(
  runs: readonly Run[],
  { options, hooks, data, folder }: Context,
): Promise<[string, SplitSummary][]> {
  const models = runs.map((run) => join(run.folder, 'model'));
  const { signal, readModel } = hooks;
  const { device, threads, runtime, fuse, truncate, exportDtype } = options;
  const opening = { device, threads, runtime, fuse, readModel };
  const file = await readTrained(models[0]!, readModel);
  const { maxLength = options.maxLength } = runs[0]!.config.options;
  const { padId, files: tokenizerFiles } = await data.tokenizer(file);
  const problem = await data.problem(file);
  const encoded = await data.encoded(file, { maxLength, signal });
  const { further = {}, ...usual } = encoded;
  const sets = new Map<string, EncodedExample[]>(Object.entries({ ...usual, ...further }));
  const beside = exportExtras(problem, tokenizerFiles, { maxLength, truncate, exportDtype });

  await folder.clearModel();
  const logits = new Map<string, Float32Array>();
  if (options.strategy === 'avg') {
    const { model } = await openMean(models, opening);
    try {
      const { engine } = model;
      for (const [split, examples] of sets)
        logits.set(split, await inferAll(engine, engine.student, examples, { padId, signal }));
      await model.export(folder.model, beside);
    } finally {
      model.engine.close();
    }
  } else {
    for (const [split, votes] of await voteOn(models, sets, { ...opening, padId, signal }))
      logits.set(split, votes);
    await exportVote(models, folder.model, beside);
  }
  return [...logits].map(([split, values]) => {
    const labels = sets.get(split)!.map(({ label }) => label);
    return [split, problem.measure(values, labels)];
  });
}
