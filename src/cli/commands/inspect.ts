import { z } from 'zod';
import type { ModelReport, PlaceReport, TrainingReport } from '../../bert/inspect.ts';
import { resolveOptions } from '../../config/check.ts';
import { boolean, describeFields, integer } from '../../config/fields.ts';
import { trainSchema } from '../../config/train-options.ts';
import { SesdError } from '../../errors.ts';
import { embeddedModel } from '../../train/embedded-model.ts';
import type { Command } from '../command.ts';
import { count, plural, significant } from '../format.ts';

const { onnx, head, dropout, seed, fuse, freeze, layerLrDecay, reinitTop } = trainSchema.shape;

const inspectSchema = z.strictObject({
  onnx,
  head,
  classes: integer(
    { min: 1, default: 2 },
    { group: 'Model', description: 'Labels of a classifier that is attached; 1 for a regression' },
  ),
  dropout,
  seed,
  fuse,
  freeze,
  layerLrDecay,
  reinitTop,
  json: boolean({ default: false }, { group: 'Output', description: 'The report as JSON' }),
});

/** `sesd-train inspect`: what a model file is and what training would do with it. */
export const inspectCommand: Command = {
  name: 'inspect',
  usage: ['inspect [onnx]'],
  description: 'Say what a model file is and what training would do with it',
  fields: describeFields(inspectSchema),
  examples: [
    { call: '$0 inspect --onnx bert.onnx', does: 'Inputs, head, dropout, parameters, what stays frozen' },
    { call: "$0 inspect --freeze '^embeddings'", does: 'What training would leave as it is' },
  ],
  async run(given, { out }): Promise<void> {
    const { onnx, json, ...options } = resolveOptions(inspectSchema, given);
    const { inspectModel } = await import('../../train/open-model.ts');
    const report = await inspectModel(onnx ?? embeddedModel.folder, options);
    await out.writeAll(json ? `${JSON.stringify(report, undefined, 2)}\n` : describeModel(report));
    if (report.refusal === undefined) return;
    const { code, message, hint } = report.refusal;
    throw new SesdError(
      code,
      `${report.file} cannot be trained: ${message}`,
      hint === undefined ? {} : { hint },
    );
  },
};

function describeModel(report: ModelReport): string {
  const ops = Object.entries(report.ops).sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  const lines: [string, string][] = [
    ['Model', report.file],
    ['Made by', `${report.producer || 'unknown'}, opset ${report.opset}`],
    ['Ops', listed(ops)],
    ...(report.training === undefined ? [] : describeTraining(report.training)),
  ];
  return lines.map(([name, value]) => `${(name && `${name}:`).padEnd(12)} ${value}\n`).join('');
}

function listed(counts: readonly [string, number][]): string {
  return counts.map(([what, times]) => `${what} ${times}`).join(', ');
}

function describeTraining(training: TrainingReport): [string, string][] {
  const { inputs, head, dropped, parameters, groups, dropout, fused, packed, frozen } = training;
  const lowered = Object.entries(training.lowered);
  const byFlag = training.weights.filter(({ trained }) => !trained).length;
  const tables = [
    [training.vocabulary, 'word pieces'],
    [training.positions, 'positions'],
    [training.types, 'segments'],
  ] as const;
  return [
    [
      'Inputs',
      inputs
        .map(({ name, role, dtype, dims }) => `${name} (${role}, ${dtype} [${dims.join(', ')}])`)
        .join(', '),
    ],
    [
      'Embeddings',
      tables
        .filter(([rows]) => rows !== undefined)
        .map(([rows, of]) => `${count(rows!)} ${of}`)
        .join(', '),
    ],
    [
      'Head',
      `${head.kind}, ${head.classes} classes, logits ${head.logits}${dropped.length > 0 ? `; left out: ${dropped.join(', ')}` : ''}`,
    ],
    ['Parameters', `${count(parameters.elements)} in ${plural(parameters.tensors, 'tensor')}`],
    ...groups.map(({ group, decay, tensors, elements }): [string, string] => [
      '',
      `${group}, ${decay ? 'weight decay' : 'no decay'}: ${count(elements)} in ${plural(tensors, 'tensor')}`,
    ]),
    ...placeLines(training.places).map((line, index): [string, string] => [
      index === 0 ? 'Places' : '',
      line,
    ]),
    ['Dropout', listed(Object.entries(dropout))],
    ['Rewritten', lowered.length > 0 ? `${listed(lowered)}: in standard operators` : 'nothing'],
    ['Fused', listed(Object.entries(fused)) || 'nothing'],
    ['Padding', packed ? 'left out' : 'computed'],
    [
      'Frozen',
      [
        ...(byFlag === 0 ? [] : [`${plural(byFlag, 'tensor')} by --freeze`]),
        ...frozen.map(({ name, reason }) => `${name}: ${reason}`),
      ].join('; ') || 'nothing',
    ],
  ];
}

/** One line a place; layers that are alike share one. */
function placeLines(places: readonly PlaceReport[]): string[] {
  const rows: { first: string; last: string; what: string }[] = [];
  for (const report of places) {
    const what = describePlace(report);
    const previous = rows.at(-1);
    if (previous?.what === what && report.place.startsWith('layer.')) previous.last = report.place;
    else rows.push({ first: report.place, last: report.place, what });
  }
  return rows.map(({ first, last, what }) =>
    first === last ? `${first}: ${what}` : `${first} to ${last}: each ${what}`,
  );
}

function describePlace(report: PlaceReport): string {
  const { tensors, elements, trained, reinitialized, learningRateScale } = report;
  const training =
    trained === tensors ? 'trained' : trained === 0 ? 'frozen' : `${count(trained)} of them trained`;
  return [
    `${count(elements)} in ${plural(tensors, 'tensor')}, ${training}`,
    ...(learningRateScale === 1 || trained === 0 ? [] : [`at ${significant(learningRateScale)} of the rate`]),
    ...(reinitialized === 0
      ? []
      : [reinitialized === tensors ? 'from new weights' : `${count(reinitialized)} from new weights`]),
  ].join(', ');
}
