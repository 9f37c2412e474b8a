import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ConfigEvent, TrainSummary } from './events.ts';

/** A run that is done. */
export interface FinishedRun {
  config: ConfigEvent;
  summary: TrainSummary;
}

/** What a run left that went to its end: summary.json is the last it writes. */
export async function readFinished(folder: string): Promise<FinishedRun | undefined> {
  try {
    const stored = JSON.parse(await readFile(join(folder, 'summary.json'), 'utf8'));
    const { labels: _labels, model: _model, ...summary } = stored as TrainSummary & Record<string, unknown>;
    const [first = ''] = (await readFile(join(folder, 'metrics.jsonl'), 'utf8')).split('\n', 1);
    return { config: JSON.parse(first), summary };
  } catch {
    return undefined; // not there, or cut short: the run is done again from its checkpoint
  }
}

/** Whether a run that is not finished can be resumed. */
export async function hasCheckpoint(folder: string): Promise<boolean> {
  const names = await readdir(join(folder, 'checkpoints')).catch(() => []);
  return names.some((name) => /^step-\d+$/.test(name));
}
