import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { expected, labels, openTestModel, testBatch } from '../../src/doctor/self-test.ts';
import { embeddedModel } from '../../src/train/embedded-model.ts';
import { findPython, runPython } from './python.ts';

const { python, missing } = await findPython();

test("the doctor's step is expected to give what PyTorch gives", { skip: missing ?? false }, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sesd-self-test-'));
  const engine = await openTestModel({});
  try {
    const weights: Float32Array[] = [];
    for await (const { data } of engine.student.read()) weights.push(data);
    const { rows, length, inputIds, attentionMask, tokenTypeIds } = testBatch();
    const table = (values: BigInt64Array) =>
      Array.from({ length: rows }, (_, row) =>
        [...values.subarray(row * length, (row + 1) * length)].map(Number),
      );
    const step = {
      config: JSON.parse(await readFile(join(embeddedModel.folder, 'config.json'), 'utf8')),
      parameters: engine.parameters,
      ...{
        inputIds: table(inputIds),
        attentionMask: table(attentionMask),
        tokenTypeIds: table(tokenTypeIds),
      },
      labels,
    };
    await writeFile(join(folder, 'step.json'), JSON.stringify(step));
    await writeFile(join(folder, 'weights.bin'), weights);
    const found = JSON.parse(await runPython(python!, 'test/parity/self_test.py', [folder]));
    for (const name of ['loss', 'gradNorm', 'lossAfter'] as const)
      assert.ok(Math.abs(found[name] - expected[name]) < 1e-7, `${name}: ${found[name]}`);
  } finally {
    engine.close();
    await rm(folder, { recursive: true });
  }
});
