import { mkdirSync, writeFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ModelFile, OpenedModel, ReadModelFile } from '../../src/train/model-provider.ts';
import { TinyEngine } from './tiny-engine.ts';

export const words = ['fur', 'tail', 'leaf', 'root', 'salt', 'bread'];

/** Writes a tokenizer whose tokens are those of the tiny engine. */
export function writeTinyTokenizer(folder: string): string {
  mkdirSync(folder, { recursive: true });
  const tokens = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', ...words];
  writeFileSync(join(folder, 'vocab.txt'), `${tokens.join('\n')}\n`);
  return folder;
}

/** Rows of a csv file whose labels follow from the words. */
export function tinyCsv(count: number, salt = 0): string {
  const labels = ['animal', 'plant', 'food'];
  const rows = Array.from({ length: count }, (_, i) => {
    const label = (i + salt) % 3;
    const text = [words[2 * label + (i % 2)], words[(i * 5 + salt) % 6], words[2 * label]].slice(
      0,
      1 + (i % 3),
    );
    return `${text.join(' ')},${labels[label]}`;
  });
  return `text,label\n${rows.join('\n')}\n`;
}

/** Opens a tiny engine whatever the path; `prepare` sees each one. */
export function tinyModels(folder: string, prepare: (engine: TinyEngine) => void = () => {}): ReadModelFile {
  return async (path): Promise<ModelFile> => ({
    file: path,
    folder,
    config: undefined,
    open: async ({ dropout }): Promise<OpenedModel> => {
      const engine = new TinyEngine({ dropout });
      prepare(engine);
      return {
        engine,
        device: 'cpu',
        precision: { precision: 'fp32' },
        digest: async () => 'tiny',
        report: { file: path, producer: 'test', opset: 18, ops: {} },
        export: async (to, { id2label, tokenizerFiles }) => {
          await mkdir(to);
          const weights: Record<string, number[]> = {};
          for await (const { name, data } of engine.student.read()) weights[name] = [...data];
          await writeFile(join(to, 'weights.json'), JSON.stringify(weights));
          await writeFile(join(to, 'config.json'), JSON.stringify({ id2label }));
          for (const { name, content } of tokenizerFiles) await writeFile(join(to, name), content);
        },
      };
    },
  });
}
