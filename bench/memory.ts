/**
 * Shows that memory stays flat while lengths change: trains steps on random shapes and prints the resident set.
 *
 *   node --import tsx bench/memory.ts [--onnx FILE|DIR] [--steps 300] [--batch 16] [--max-length 128] [--threads 2]
 *                                     [--allow 0.02]
 *
 * The default model is the embedded one. Ends with 1 when memory grew by more than the allowed share after step 50.
 */
import { parseArgs } from 'node:util';
import { embeddedModel } from '../src/train/embedded-model.ts';
import { EngineSteps, randomBatch, sda } from './engine-steps.ts';

const { values } = parseArgs({
  options: {
    onnx: { type: 'string', default: embeddedModel.folder },
    steps: { type: 'string', default: '300' },
    batch: { type: 'string', default: '16' },
    'max-length': { type: 'string', default: '128' },
    threads: { type: 'string', default: '2' },
    allow: { type: 'string', default: '0.02' },
  },
});
const [steps, rows, longest] = [Number(values.steps), Number(values.batch), Number(values['max-length'])];
const SETTLED = 50;

const engine = await EngineSteps.open(values.onnx, {
  threads: Number(values.threads),
  dropout: 0.1,
  fuse: true,
  precision: 'fp32',
});
let settled = 0;
let most = 0;
for (let step = 1; step <= steps; step++) {
  // A sequence of lengths without a pattern that repeats within the run.
  const length = 4 + Math.floor((longest - 4) * ((step * Math.SQRT2) % 1));
  await engine.measure(sda, randomBatch(rows, length, 8000));
  const resident = process.memoryUsage.rss();
  if (step <= SETTLED) settled = Math.max(settled, resident);
  else most = Math.max(most, resident);
  if (step % 25 === 0) console.log(`step ${step}: ${mib(resident)} MiB`);
}
engine.close();

const growth = most / settled - 1;
console.log(
  `most up to step ${SETTLED}: ${mib(settled)} MiB; after: ${mib(most)} MiB (${(100 * growth).toFixed(1)} %)`,
);
process.exitCode = growth <= Number(values.allow) ? 0 : 1;

function mib(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(0);
}
