import assert from 'node:assert/strict';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { readModel } from '../../src/onnx/read.ts';
import { floatElements, tensorData } from '../../src/onnx/tensor.ts';
import { makeWorkFolder, sesdTrain } from '../cli/sesd-train.ts';

/** Of 20 examples in batches of 5, so that 3 epochs are θ_1..θ_12. */
const steps = 12;

describe("the exported weights of se are the mean of the students' own", () => {
  let folder: string;
  before(async () => {
    folder = await makeWorkFolder();
  });
  after(() => rm(folder, { recursive: true, force: true }));

  const cases: { name: string; flags: string[]; of: number[] }[] = [
    { name: 'of all', flags: [], of: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12] },
    {
      name: 'of the newest 3 of every second in the last two thirds',
      flags: ['--teacher-start', '5', '--pool-every', '2', '--window', '3'],
      of: [8, 10, 12],
    },
  ];
  cases.forEach(({ name, flags, of }, index) => {
    test(name, async () => {
      const run = join(folder, `run-${index}`);
      const { code, stderr } = await sesdTrain(
        [
          ...['--onnx', 'bert', '--train', 'train.jsonl', '--strategy', 'se', '--output', run],
          ...['--batch-size', '5', '--epochs', '3', '--lr', '5e-3', '--save-every', '1', '--keep', '99'],
          ...flags,
        ],
        { cwd: folder },
      );
      assert.equal(code, 0, stderr);
      const students = await Promise.all(of.map((step) => studentAfter(run, step)));
      const last = await studentAfter(run, steps);
      const exported = await exportedWeights(run);

      let moved = 0;
      for (const [tensor, values] of last) {
        const found = exported.get(tensor);
        assert.equal(found?.length, values.length, tensor);
        for (let i = 0; i < values.length; i++) {
          const members = students.map((student) => student.get(tensor)![i]!);
          const mean = members.reduce((sum, value) => sum + value, 0) / members.length;
          const rounding = 2 ** -23 * Math.max(...members.map(Math.abs));
          const difference = Math.abs(found![i]! - mean);
          assert.ok(difference <= rounding, `${tensor}[${i}]: ${found![i]}, expected ${mean}`);
          if (Math.abs(values[i]! - mean) > 100 * rounding) moved++;
        }
      }
      assert.ok(moved > 1000, 'the mean is not the last student');
    });
  });
});

/** θ_step by tensor, read as the safetensors format is published: length of the header, header, data. */
async function studentAfter(run: string, step: number): Promise<Map<string, Float32Array>> {
  const bytes = await readFile(join(run, `checkpoints/step-${step}/student.safetensors`));
  const data = 8 + Number(bytes.readBigUInt64LE());
  const header: Record<string, { dtype: string; data_offsets: [number, number] }> = JSON.parse(
    bytes.toString('utf8', 8, data),
  );
  const tensors = Object.entries(header).filter(([name]) => name !== '__metadata__');
  return new Map(
    tensors.map(
      ([
        name,
        {
          dtype,
          data_offsets: [from, to],
        },
      ]) => {
        assert.equal(dtype, 'F32');
        return [
          name,
          new Float32Array(bytes.buffer.slice(bytes.byteOffset + data + from, bytes.byteOffset + data + to)),
        ];
      },
    ),
  );
}

async function exportedWeights(run: string): Promise<Map<string, Float32Array>> {
  const { proto, external } = await readModel(join(run, 'model'));
  return new Map(
    (proto.graph?.initializer ?? []).map((tensor) => {
      const stored = tensorData(tensor, external);
      return [tensor.name, stored.dtype === 'float32' ? floatElements(stored) : new Float32Array()];
    }),
  );
}
