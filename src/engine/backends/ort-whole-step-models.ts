import { fromBinary } from '@bufbuild/protobuf';
import { tensorToProto } from '../../graph/attributes.ts';
import { float32Tensor, GraphBuilder } from '../../graph/builder.ts';
import { CANONICAL_OPSET, type Graph, type ValueType } from '../../graph/graph.ts';
import { newInference } from '../../graph/infer/infer.ts';
import { nodeToProto, valueInfo } from '../../graph/serialize.ts';
import { type ModelProto, ModelProtoSchema } from '../../onnx/generated/onnx_pb.ts';
import type { Parameter } from '../engine.ts';
import type { PlannedGraph, TrainingPlan } from '../plan.ts';
import {
  encode,
  gatherGradients,
  modelOf,
  newModel,
  readAll,
  type SessionModels,
  setParameters,
  type TrainingOutputs,
} from './ort-training-models.ts';

type Plan = Omit<TrainingPlan, 'initial'>;

/** Inputs of the training model beside a batch: int64 [rows]; float32 [rows, 1]; float32 [1]. */
export const LABELS = 'sesd/labels';
export const ROW_WEIGHTS = 'sesd/row-weights';
export const LAMBDA = 'sesd/lambda';
/** Input of the eval model: float32 [1]. */
export const BLEND = 'sesd/blend';

/** The teacher's parameters, and all values of its forward pass, are the student's behind this. */
export const TEACHER = 'teacher/';
const BACKWARD = 'backward/';

/** The graphs of a plan that a training model is made of, and what stands before the names of each one's values there. */
export function wholeStepParts(
  { forward, inference, backward }: Plan,
  teaches: boolean,
): { graph: PlannedGraph; prefix: string }[] {
  return [
    { graph: forward, prefix: '' },
    ...(teaches ? [{ graph: inference, prefix: TEACHER }] : []),
    { graph: backward, prefix: BACKWARD },
  ];
}

/** The teacher's weights as parameters of the session. */
export function teacherParameters({ parameters }: Plan): Parameter[] {
  return parameters.map((parameter) => ({ ...parameter, name: TEACHER + parameter.name }));
}

/**
 * The models of a session whose training step is the whole one: forward passes of student and teacher, the gradient of
 * Σ_rows weight · (CE(z, y) + λ · mean over the classes of (z − z̄)²) with respect to the student's logits, and backward pass.
 * The eval model moves the teacher: θ̄ ← θ̄ + blend · (θ − θ̄), in place. It is not in the training step, for an average moves
 * once in an update, however many batches are gathered for it.
 *
 * @param teaches whether there is a teacher; without, λ = 0 and no eval model
 */
export function wholeStepModels(plan: Plan, teaches: boolean, out: TrainingOutputs): SessionModels {
  const parameters = [...plan.parameters, ...plan.frozen, ...(teaches ? teacherParameters(plan) : [])];
  const fed = new Set(plan.feeds.map(({ name }) => name));
  if (plan.dropoutKey !== undefined) fed.add(plan.dropoutKey);
  for (const { graph, prefix } of wholeStepParts(plan, teaches))
    for (const name of graph.shapes?.outputs ?? []) fed.add(prefix + name);
  const frozen = new Set(plan.frozen.map(({ name }) => name));
  const shared = new Set([
    ...[...fed, ...frozen, ...plan.parameters.map(({ name }) => name)],
    ...[...plan.forward.stash, plan.backward.dlogits],
  ]);

  const train = modelOf(plan.forward);
  train.graph!.output = train.graph!.output.filter(({ name }) => name === plan.logits);
  if (teaches) {
    const teacher = renamed(plan.inference.model, TEACHER, (name) => fed.has(name) || frozen.has(name));
    append(train, teacher, fed);
    train.graph!.output.push(valueInfo(TEACHER + plan.logits, { dtype: 'float32', dims: undefined }));
  }
  appendObjective(train, plan, teaches);
  append(
    train,
    renamed(plan.backward.model, BACKWARD, (name) => shared.has(name)),
    fed,
  );
  setParameters(train, parameters);
  const gradientOf = (name: string) => BACKWARD + plan.backward.gradients.get(name)!;
  gatherGradients(train, plan.parameters, gradientOf, out);
  readAll(train, parameters);
  return { train: encode(train), ...(teaches && { eval: blendModel(plan, parameters) }) };
}

/** A model whose values have other names, but for some. */
function renamed(bytes: Uint8Array, prefix: string, isKept: (name: string) => boolean): ModelProto {
  const rename = (name: string) => (name === '' || isKept(name) ? name : prefix + name);
  const model = fromBinary(ModelProtoSchema, bytes);
  const graph = model.graph!;
  for (const node of graph.node) {
    node.name = prefix + node.name;
    node.input = node.input.map(rename);
    node.output = node.output.map(rename);
  }
  for (const value of [...graph.initializer, ...graph.input]) value.name = rename(value.name);
  return model;
}

/** Puts a model's nodes behind another's; what it is fed is an input of both, the rest is computed by the other one. */
function append(model: ModelProto, { graph, opsetImport }: ModelProto, fed: ReadonlySet<string>): void {
  const into = model.graph!;
  const has = new Set(into.input.map(({ name }) => name));
  into.node.push(...graph!.node);
  into.initializer.push(...graph!.initializer);
  into.input.push(...graph!.input.filter(({ name }) => fed.has(name) && !has.has(name)));
  const domains = new Set(model.opsetImport.map(({ domain }) => domain));
  model.opsetImport.push(...opsetImport.filter(({ domain }) => !domains.has(domain)));
}

function appendObjective(model: ModelProto, { logits, classes, backward }: Plan, teaches: boolean): void {
  const graph = newGraph({
    [LABELS]: { dtype: 'int64', dims: ['rows'] },
    [ROW_WEIGHTS]: { dtype: 'float32', dims: ['rows', 1] },
    ...(teaches && { [LAMBDA]: { dtype: 'float32', dims: [1] } }),
  });
  for (const name of [logits, TEACHER + logits])
    graph.types.set(name, { dtype: 'float32', dims: ['rows', classes] });
  const builder = new GraphBuilder(graph, newInference(), 'objective');
  const probabilities = builder.op('Softmax', [logits], { attributes: { axis: -1 } });
  const zeroOne = builder.constant(float32Tensor([0, 1], [2]));
  const target = builder.op('OneHot', [LABELS, builder.scalar(classes, 'int64'), zeroOne]);
  let gradient = builder.op('Sub', [probabilities, target]);
  if (teaches) {
    const difference = builder.op('Sub', [logits, TEACHER + logits]);
    const factor = builder.op('Mul', [LAMBDA, builder.scalar(2 / classes)]);
    gradient = builder.op('Add', [gradient, builder.op('Mul', [factor, difference])]);
  }
  builder.op('Mul', [ROW_WEIGHTS, gradient], { name: backward.dlogits });
  addTo(model, graph);
}

function blendModel(plan: Plan, parameters: readonly Parameter[]): Uint8Array {
  const graph = newGraph({ [BLEND]: { dtype: 'float32', dims: [1] } });
  for (const { name, dims } of parameters) graph.types.set(name, { dtype: 'float32', dims });
  const builder = new GraphBuilder(graph, newInference(), 'blend');
  const keep = builder.constant({ dtype: 'bool', dims: [1], bytes: Uint8Array.of(0) });
  for (const { name } of plan.parameters) {
    const step = builder.op('Mul', [BLEND, builder.op('Sub', [name, TEACHER + name])]);
    const [done] = builder.multi('InPlaceAccumulatorV2', [TEACHER + name, step, keep], 1, {
      domain: 'com.microsoft',
    });
    graph.outputs.push(done!);
  }
  const model = newModel();
  addTo(model, graph);
  setParameters(model, parameters);
  model.graph!.output = graph.outputs.map((name) => valueInfo(name, { dtype: 'bool', dims: [1] }));
  return encode(model);
}

function newGraph(inputs: Record<string, ValueType>): Graph {
  return {
    opset: CANONICAL_OPSET,
    inputs: Object.keys(inputs),
    outputs: [],
    initializers: new Map(),
    nodes: [],
    types: new Map(Object.entries(inputs)),
  };
}

function addTo({ graph: into }: ModelProto, { inputs, nodes, initializers, types }: Graph): void {
  into!.input.push(...inputs.map((name) => valueInfo(name, types.get(name))));
  into!.node.push(...nodes.map(nodeToProto));
  for (const [name, tensor] of initializers) into!.initializer.push(tensorToProto(name, tensor));
}
