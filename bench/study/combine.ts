/**
 * What AVG and VOTE make of the study's plain fine-tuning runs of MiniLM: the mean of the weights, and of the probabilities, of each
 * four of a task's seeds, as the paper takes four. Prints their test accuracy, the mean over the choices of four.
 *
 *   node --import tsx bench/study/combine.ts topics|pairs --data DIR --models DIR --runs DIR
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { resolveTrainOptions } from '../../src/config/resolve.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { evaluate } from '../../src/train/evaluate.ts';
import { readModelFile } from '../../src/train/open-model.ts';
import { encodeTask } from './cell.ts';
import { type Cell, maxLengths, nameOf, protocols, seeds } from './plan.ts';

const { values, positionals } = parseArgs({
  options: {
    data: { type: 'string', default: '' },
    models: { type: 'string', default: '' },
    runs: { type: 'string', default: '' },
  },
  allowPositionals: true,
});
const [task] = positionals as [Cell['task']];
const onnx = join(values.models, 'minilm');
const options = resolveTrainOptions({ ...protocols.minilm.options, onnx, threads: 1 });
const { splits, padId, problem } = await encodeTask(join(values.data, task), onnx, {
  maxLength: maxLengths[task],
  tests: protocols.minilm.test,
});
const { engine } = await (await readModelFile(onnx)).open({
  ...options,
  classes: problem.target.names.length,
});
const labels = splits.test.map(({ label }) => label);

const folders = seeds
  .map((seed) => join(values.runs, nameOf({ model: 'minilm', task, steps: 125, setting: 'finetune', seed })))
  .filter((folder) => existsSync(join(folder, 'weights.f32')));
const scores: { avg: number[]; vote: number[] } = { avg: [], vote: [] };
for (const left of folders) {
  const four = folders.length > 4 ? folders.filter((folder) => folder !== left) : folders;
  const weights = four.map((folder) => readFloats(join(folder, 'weights.f32')));
  await engine.student.write(unpacked(engine, mean(weights)));
  scores.avg.push((await evaluate(engine, engine.student, splits.test, { padId, problem })).accuracy!);
  const probabilities = four.map((folder) => softmax(readFloats(join(folder, 'logits.f32')), engine.classes));
  scores.vote.push(problem.measure(mean(probabilities).map(Math.log), labels).accuracy!);
  if (folders.length <= 4) break;
}
for (const [name, accuracies] of Object.entries(scores)) {
  const [average] = mean(accuracies.map((accuracy) => Float32Array.of(100 * accuracy)));
  console.log(
    `${task}: ${name} of ${Math.min(4, folders.length)}: ${average!.toFixed(1)} (${accuracies.length} choices)`,
  );
}
engine.close();

function readFloats(file: string): Float32Array {
  const bytes = readFileSync(file);
  return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
}

function mean(arrays: readonly Float32Array[]): Float32Array {
  return arrays[0]!.map((_, i) => arrays.reduce((sum, values) => sum + values[i]!, 0) / arrays.length);
}

function softmax(logits: Float32Array, classes: number): Float32Array {
  const probabilities = new Float32Array(logits.length);
  for (let start = 0; start < logits.length; start += classes) {
    const row = logits.subarray(start, start + classes);
    const max = Math.max(...row);
    const total = row.reduce((sum, value) => sum + Math.exp(value - max), 0);
    for (let c = 0; c < classes; c++) probabilities[start + c] = Math.exp(row[c]! - max) / total;
  }
  return probabilities;
}

async function* unpacked({ parameters }: Engine, all: Float32Array) {
  let start = 0;
  for (const { name, size } of parameters) {
    yield { name, data: all.slice(start, start + size) };
    start += size;
  }
}
