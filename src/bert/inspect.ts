import type { Parameter } from '../engine/engine.ts';
import type { SesdError, SesdErrorCode } from '../errors.ts';
import type { Graph } from '../graph/graph.ts';
import { opName } from '../graph/graph.ts';
import { lowerings } from '../graph/lowerings/index.ts';
import type { DropoutSites } from './dropout.ts';
import { tableRows } from './inputs.ts';
import { comparePlaces, type Places, placeName } from './places.ts';
import type { PreparedBert } from './prepare.ts';

/** What was found in a model file and what training it would do: the answer of `sesd-train inspect`. */
export interface ModelReport {
  file: string;
  producer: string;
  /** ai.onnx opset the file was written in. */
  opset: number;
  /** How often each op occurs in the file. */
  ops: Record<string, number>;
  /** Why the model cannot be trained; absent when it can. Nothing below is there then. */
  refusal?: { code: SesdErrorCode; message: string; hint?: string };
  training?: TrainingReport;
}

export interface TrainingReport {
  inputs: { name: string; role: string; dtype: string; dims: readonly (number | string)[] }[];
  /** Rows of the embedding tables. */
  vocabulary: number | undefined;
  positions: number | undefined;
  types: number | undefined;
  head: { kind: string; classes: number; logits: string };
  /** Outputs of the file that a trained model has no more. */
  dropped: readonly string[];
  parameters: Count;
  /** AdamW's groups. */
  groups: { group: 'body' | 'head'; decay: boolean; tensors: number; elements: number }[];
  /** Number of dropout sites by place. */
  dropout: Record<keyof DropoutSites, number>;
  /** Ops of the file, by name, that are spelled in standard operators before patterns are looked for. */
  lowered: Record<string, number>;
  /** Patterns found and run by fused operators. */
  fused: Record<string, number>;
  /** Whether padding is left out of what is computed for each token. */
  packed: boolean;
  /** The weights by place, from the bottom to the top. */
  places: readonly PlaceReport[];
  /** Every weight, trained or kept by `--freeze`. */
  weights: readonly WeightReport[];
  /** Float tensors that cannot be trained, and why. */
  frozen: readonly { name: string; reason: string }[];
}

export interface PlaceReport extends Count {
  /** `embeddings`, `layer.N` from 0 at the bottom, `layer.N-M` for weights these layers share, `pooler`, `classifier`. */
  place: string;
  /** How many of them are trained, and how many of those began with new weights. */
  trained: number;
  reinitialized: number;
  learningRateScale: number;
}

export interface WeightReport {
  name: string;
  /** Where it is used, as in `places`. */
  place: string;
  dims: readonly number[];
  trained: boolean;
  /** What the rate of its group is multiplied by. */
  learningRateScale: number;
  /** Whether it began with new weights under `--reinit-top`. */
  reinitialized: boolean;
}

interface Count {
  tensors: number;
  elements: number;
}

export interface ModelSource {
  file: string;
  producer: string;
  opset: number;
  graph: Graph;
}

export function reportModel(source: ModelSource, prepared: PreparedBert | SesdError): ModelReport {
  const ops: Record<string, number> = {};
  for (const node of source.graph.nodes) ops[opName(node)] = (ops[opName(node)] ?? 0) + 1;
  const { file, producer, opset } = source;
  const found = { file, producer, opset, ops };
  if (prepared instanceof Error) {
    const { code, message, hint } = prepared;
    return { ...found, refusal: { code, message, ...(hint === undefined ? {} : { hint }) } };
  }
  const lowered = Object.fromEntries(Object.entries(ops).filter(([op]) => lowerings[op] !== undefined));
  return { ...found, training: { ...reportTraining(source.graph, prepared), lowered } };
}

function reportTraining(
  graph: Graph,
  { plan, head, dropped, inputs, sites, places, reinitialized, fused, packed, frozen }: PreparedBert,
): Omit<TrainingReport, 'lowered'> {
  const weights = [...plan.parameters, ...plan.frozen].map(
    ({ name, dims, learningRateScale }, index): WeightReport => ({
      name,
      place: placeName(places.of.get(name)),
      dims,
      trained: index < plan.parameters.length,
      learningRateScale,
      reinitialized: reinitialized.includes(name),
    }),
  );
  const { rows = 'batch', length = 'sequence' } = inputs.fixed;
  return {
    inputs: inputs.inputs.map(({ name, role, dtype }) => ({ name, role, dtype, dims: [rows, length] })),
    vocabulary: tableRows(graph, inputs.embeddings.word),
    positions: tableRows(graph, inputs.embeddings.positions),
    types: tableRows(graph, inputs.embeddings.types),
    head: { kind: head.kind, classes: head.classes, logits: head.logits },
    dropped,
    parameters: count(plan.parameters),
    groups: groups(plan.parameters),
    dropout: {
      embeddings: sites.embeddings.length,
      attention: sites.attention.length,
      relativePositions: sites.relativePositions.length,
      sublayers: sites.sublayers.length,
      classifier: sites.classifier.length,
    },
    fused: Object.fromEntries(fused),
    packed,
    places: reportPlaces(weights, places),
    weights,
    frozen,
  };
}

function count(parameters: readonly Parameter[]): Count {
  return { tensors: parameters.length, elements: parameters.reduce((sum, { size }) => sum + size, 0) };
}

function groups(parameters: readonly Parameter[]): TrainingReport['groups'] {
  const result: TrainingReport['groups'] = [];
  for (const group of ['body', 'head'] as const) {
    for (const decay of [true, false]) {
      const members = parameters.filter(
        (parameter) => parameter.group === group && parameter.decay === decay,
      );
      if (members.length > 0) result.push({ group, decay, ...count(members) });
    }
  }
  return result;
}

function reportPlaces(weights: readonly WeightReport[], { of }: Places): PlaceReport[] {
  const byPlace = new Map<string, WeightReport[]>();
  for (const weight of [...weights].sort((a, b) => comparePlaces(of.get(a.name), of.get(b.name)))) {
    const members = byPlace.get(weight.place);
    if (members) members.push(weight);
    else byPlace.set(weight.place, [weight]);
  }
  return [...byPlace].map(([place, members]) => ({
    place,
    tensors: members.length,
    elements: members.reduce((sum, { dims }) => sum + dims.reduce((a, b) => a * b, 1), 0),
    trained: members.filter(({ trained }) => trained).length,
    reinitialized: members.filter(({ reinitialized }) => reinitialized).length,
    learningRateScale: members[0]!.learningRateScale,
  }));
}
