import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { type Attribute, CANONICAL_OPSET, type Node } from '../../graph/graph.ts';
import { nodeToProto, valueInfo } from '../../graph/serialize.ts';
import {
  GraphProtoSchema,
  type ModelProto,
  ModelProtoSchema,
  OperatorSetIdProtoSchema,
  TypeProto_SequenceSchema,
  TypeProto_TensorSchema,
  TypeProtoSchema,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from '../../onnx/generated/onnx_pb.ts';
import { dataTypeNumber } from '../../onnx/tensor.ts';
import type { Parameter } from '../engine.ts';
import type { PlannedGraph, TrainingPlan } from '../plan.ts';

/** The plan's graphs without the weights they start from. */
type Plan = Omit<TrainingPlan, 'initial'>;

const MICROSOFT = 'com.microsoft';
/** Names that the runtime's training session looks for. */
const RESET_GRADIENTS = 'lazy_reset_grad';
const gradientBuffer = (parameter: string) => `${parameter}_grad.accumulation.buffer`;
const gradientUpdated = (parameter: string) => `${parameter}_grad.accumulation.out`;

/** The training model's output with the gradients of a parameter gathered so far. */
export function gatheredGradient(parameter: string): string {
  return `${parameter}/sesd.gathered`;
}

/** The training model's output with the sum of the squares of all gradients gathered so far. */
export const SQUARED_NORM = 'sesd/squared-norm';

/**
 * The models of a training session (https://onnxruntime.ai/docs/api/c/struct_ort_training_api.html) made from a plan's
 * graphs. An input named in the checkpoint is a parameter; both models have all parameters, in one order, for the session
 * feeds the second as it does the first.
 *
 * - eval: the forward graph: logits and stash from a batch.
 * - train: the backward graph; its gradients are added to the session's.
 *
 * @param out what comes out of the training model
 */
export function splitModels(plan: Plan, out: TrainingOutputs): SessionModels {
  const parameters = [...plan.parameters, ...plan.frozen];
  const train = modelOf(plan.backward);
  setParameters(train, parameters);
  train.graph!.output = [];
  gatherGradients(train, plan.parameters, (name) => plan.backward.gradients.get(name)!, out);
  readAll(train, parameters);
  const forward = modelOf(plan.forward);
  setParameters(forward, parameters);
  return { train: encode(train), eval: encode(forward) };
}

export interface SessionModels {
  train: Uint8Array;
  /** Absent where the session has no use for one. */
  eval?: Uint8Array;
}

export interface TrainingOutputs {
  /** Those gathered so far, of each parameter. */
  gradients: boolean;
  /** The squared norm of all of them. */
  norm: boolean;
}

/** The graph of a plan, its inputs those of the batch only. */
export function modelOf({ model: bytes, weights }: PlannedGraph): ModelProto {
  const model = fromBinary(ModelProtoSchema, bytes);
  const graph = model.graph!;
  const read = new Set(weights);
  graph.input = graph.input.filter(({ name }) => !read.has(name));
  importMicrosoft(model);
  return model;
}

/** Makes every parameter an input, whether the graph reads it or not. */
export function setParameters(
  { graph }: ModelProto,
  parameters: readonly Pick<Parameter, 'name' | 'dims'>[],
): void {
  for (const { name, dims } of parameters) graph!.input.push(valueInfo(name, { dtype: 'float32', dims }));
}

/**
 * Has a node of the training model read every parameter. A session keeps a parameter, its gradient and its moments where
 * what reads it computes. One that nothing reads, as backward does not read biases, stays on the host: a GPU would gather
 * its gradient in a copy, and lose it (LoadParameter in orttraining/orttraining/training_api/module.cc).
 */
export function readAll(
  { graph: proto }: ModelProto,
  parameters: readonly Pick<Parameter, 'name' | 'dims'>[],
): void {
  const graph = proto!;
  const read = new Set(graph.node.flatMap(({ input }) => input));
  for (const { name } of parameters.filter((each) => !read.has(each.name))) {
    const size = `${name}/sesd.size`; // the cheapest thing to know
    graph.node.push(nodeToProto(toNode({ op: 'Size', inputs: [name], outputs: [size] }, '')));
    graph.output.push(valueInfo(size, { dtype: 'int64', dims: [] }));
  }
}

/** Adds the gradients to what the session gathers. @param gradientOf the value that holds a parameter's gradient */
export function gatherGradients(
  { graph: proto }: ModelProto,
  parameters: readonly Parameter[],
  gradientOf: (parameter: string) => string,
  out: TrainingOutputs,
): void {
  const graph = proto!;
  const add = (node: NodeInit, domain?: string) => graph.node.push(nodeToProto(toNode(node, domain)));
  const squares: string[] = [];
  for (const { name, dims } of parameters) {
    const gathered = gatheredGradient(name);
    add({
      op: 'InPlaceAccumulatorV2',
      inputs: [gradientBuffer(name), gradientOf(name), RESET_GRADIENTS],
      outputs: [gradientUpdated(name), gathered],
    });
    graph.input.push(valueInfo(gradientBuffer(name), { dtype: 'float32', dims }));
    graph.output.push(valueInfo(gradientUpdated(name), { dtype: 'bool', dims: [1] }));
    if (out.gradients) graph.output.push(valueInfo(gathered, { dtype: 'float32', dims }));
    if (out.norm) {
      const square = `${name}/sesd.squared-norm`;
      add(
        { op: 'ReduceSumSquare', inputs: [gathered], outputs: [square], attributes: { keepdims: int(0) } },
        '',
      );
      squares.push(square);
    }
  }
  if (out.norm) {
    add({ op: 'Sum', inputs: squares, outputs: [SQUARED_NORM] }, '');
    graph.output.push(valueInfo(SQUARED_NORM, { dtype: 'float32', dims: [] }));
  }
  graph.input.push(valueInfo(RESET_GRADIENTS, { dtype: 'bool', dims: [1] }));
}

/**
 * The optimizer's model: AdamW. Where the engine updates the weights itself it is never run, but a checkpoint without
 * values needs one.
 * @param group how the session is to update the weights; absent where it is not
 */
export function optimizerModel(group: OneGroup | undefined): Uint8Array {
  return group === undefined ? descentModel() : adamWModel(group);
}

/** What one AdamW for all parameters goes by. */
export interface OneGroup {
  weightDecay: number;
}

/** AdamW on all parameters alike. */
function adamWModel({ weightDecay }: OneGroup): Uint8Array {
  const sequences = ['params', 'gradients', 'first_order_moments', 'second_order_moments'];
  const node: NodeInit = {
    op: 'AdamWOptimizer',
    inputs: ['learning_rate', 'step', ...sequences],
    outputs: ['updated'],
    attributes: {
      alpha: float(0.9),
      beta: float(0.999),
      epsilon: float(1e-8),
      weight_decay: float(weightDecay),
      adam_mode: int(0), // PyTorch's: the decay first, ε outside of the corrected root
      correct_bias: int(1),
    },
  };
  return modelOfNode(node, sequences);
}

/** Plain gradient descent, for which the session keeps the fewest moments. */
function descentModel(): Uint8Array {
  const node: NodeInit = {
    op: 'SGDOptimizerV2',
    inputs: ['learning_rate', 'params', 'gradients'],
    outputs: ['updated'],
  };
  return modelOfNode(node, ['params', 'gradients', 'first_order_moments']);
}

/** @param sequences inputs that have a tensor for each parameter */
function modelOfNode(node: NodeInit, sequences: readonly string[]): Uint8Array {
  const model = newModel();
  const graph = model.graph!;
  graph.node.push(nodeToProto(toNode(node)));
  // The session holds these against what it feeds: all of them, in this order, read or not.
  graph.input.push(
    valueInfo('learning_rate', { dtype: 'float32', dims: [1] }),
    valueInfo('step', { dtype: 'int64', dims: [1] }),
    ...sequences.map(sequence),
  );
  graph.output.push(valueInfo('updated', { dtype: 'bool', dims: [1] }));
  return encode(model);
}

/** A model without nodes. */
export function newModel(): ModelProto {
  const model = create(ModelProtoSchema, {
    irVersion: 10n,
    producerName: 'sesd-train',
    opsetImport: [create(OperatorSetIdProtoSchema, { domain: '', version: BigInt(CANONICAL_OPSET) })],
    graph: create(GraphProtoSchema, { name: 'graph' }),
  });
  importMicrosoft(model);
  return model;
}

export type NodeInit = Pick<Node, 'op' | 'inputs' | 'outputs'> & { attributes?: Record<string, Attribute> };

export function toNode({ attributes = {}, ...node }: NodeInit, domain = MICROSOFT): Node {
  return { ...node, name: node.outputs[0]!, domain, attributes: new Map(Object.entries(attributes)) };
}

const float = (value: number): Attribute => ({ kind: 'float', value });
const int = (value: number): Attribute => ({ kind: 'int', value: BigInt(value) });

function sequence(name: string): ValueInfoProto {
  const elemType = create(TypeProtoSchema, {
    tensorType: create(TypeProto_TensorSchema, { elemType: dataTypeNumber.float32 }),
  });
  const sequenceType = create(TypeProto_SequenceSchema, { elemType });
  return create(ValueInfoProtoSchema, { name, type: create(TypeProtoSchema, { sequenceType }) });
}

function importMicrosoft(model: ModelProto): void {
  if (model.opsetImport.some(({ domain }) => domain === MICROSOFT)) return;
  model.opsetImport.push(create(OperatorSetIdProtoSchema, { domain: MICROSOFT, version: 1n }));
}

export function encode(model: ModelProto): Uint8Array {
  return toBinary(ModelProtoSchema, model);
}
