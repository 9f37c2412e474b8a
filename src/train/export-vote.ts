import { exportModel } from '../export/export-model.ts';
import { voteOf } from '../export/vote.ts';
import { readModel } from '../onnx/read.ts';
import type { ExportExtras } from './model-provider.ts';
import { configOptions } from './open-model.ts';
import { readConfig } from './read-config.ts';

/**
 * Writes the vote of classifiers to a folder like that of one: all of them are in its model.onnx. They are in
 * memory together while it is written.
 *
 * @param folders of models this package exported, of one source and the same labels
 * @throws SesdError SESD_OUTPUT, SESD_BAD_MODEL
 */
export async function exportVote(
  folders: readonly string[],
  target: string,
  beside: ExportExtras,
): Promise<void> {
  const models = await Promise.all(folders.map(readModel));
  const { source, edit } = voteOf(models, Object.keys(beside.id2label).length);
  const base = await readConfig(folders[0]!);
  await exportModel(target, {
    source,
    edit,
    config: configOptions(base, beside),
    files: beside.tokenizerFiles,
  });
}
