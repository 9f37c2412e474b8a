import { z } from 'zod';
import { resolveOptions } from '../../config/check.ts';
import { boolean, describeFields } from '../../config/fields.ts';
import { trainSchema } from '../../config/train-options.ts';
import { SesdError } from '../../errors.ts';
import type { Command } from '../command.ts';
import { describeDoctor } from '../doctor-text.ts';
import { plural } from '../format.ts';

const { device, threads, runtime } = trainSchema.shape;

const doctorSchema = z.strictObject({
  device,
  runtime,
  threads,
  json: boolean({ default: false }, { group: 'Output', description: 'The report as JSON (docs/doctor.md)' }),
});

/** `sesd-train doctor`: whether training works on this machine, and what every bug report starts with. */
export const doctorCommand: Command = {
  name: 'doctor',
  usage: ['doctor'],
  description: 'Say what this machine has, what is missing, and whether a training step works',
  fields: describeFields(doctorSchema),
  examples: [
    { call: '$0 doctor', does: 'What to send with a bug report' },
    { call: '$0 doctor --runtime ./libonnxruntime.so', does: 'Whether this library can be used' },
  ],
  async run(given, { out, signal }): Promise<void> {
    const { json, ...options } = resolveOptions(doctorSchema, given);
    const { examine } = await import('../../doctor/examine.ts');
    const report = await examine({ ...options, signal });
    await out.writeAll(json ? `${JSON.stringify(report, undefined, 2)}\n` : describeDoctor(report));
    if (report.ok) return;
    const errors = report.problems.filter(({ severity }) => severity === 'error');
    throw new SesdError(
      'SESD_RUNTIME',
      `${plural(errors.length, 'problem')} to solve before training works.`,
    );
  },
};
