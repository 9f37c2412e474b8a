import { SesdError } from '../errors.ts';
import { float32Tensor } from '../graph/builder.ts';
import type { Node } from '../graph/graph.ts';
import { having } from '../onnx/encode.ts';
import type { GraphProto, TensorProto } from '../onnx/generated/onnx_pb.ts';
import type { OnnxModel } from '../onnx/read.ts';
import type { GraphEdit } from './graph-edit.ts';

/**
 * Classifiers as one model, and the edit that makes it their vote (BERT_VOTE of arXiv 2002.10345):
 * logits = log(1/N · Σ softmax(logits_k)), so that the softmax of these logits is the mean of the
 * probabilities. The members share their inputs; all else of member k goes by names that begin with
 * `member-k/`. Renames the parts of the given models: they are of no other use afterwards.
 *
 * @param models fine-tuned from one source model, each with an output `logits` [batch, classes]
 * @throws SesdError SESD_BAD_MODEL when their inputs or opsets differ
 */
export function voteOf(
  models: readonly OnnxModel[],
  classes: number,
): { source: OnnxModel; edit: GraphEdit } {
  const [first] = models as [OnnxModel, ...OnnxModel[]];
  for (const other of models) checkSameInterface(first, other);
  const shared = sharedInputs(first);
  const prefixes = models.map((_, k) => `member-${k + 1}/`);
  const graphs = models.map(({ proto }) => proto.graph!);
  for (const [k, graph] of graphs.entries()) prefixNames(graph, prefixes[k]!, shared);

  const input = [
    ...graphs[0]!.input.filter(({ name }) => shared.has(name)),
    ...graphs.flatMap((graph) => graph.input.filter(({ name }) => !shared.has(name))),
  ];
  const merged = having(graphs[0]!, {
    input,
    node: graphs.flatMap(({ node }) => node),
    initializer: graphs.flatMap(({ initializer }) => initializer),
    output: graphs.flatMap(({ output }) => output),
    valueInfo: graphs.flatMap(({ valueInfo }) => valueInfo),
  });
  const external = new Map<TensorProto, Uint8Array>(models.flatMap((model) => [...model.external]));
  const source = { path: first.path, proto: having(first.proto, { graph: merged }), external };
  return { source, edit: voteEdit(prefixes, classes) };
}

function voteEdit(prefixes: readonly string[], classes: number): GraphEdit {
  const logits = prefixes.map((prefix) => `${prefix}logits`);
  const probabilities = prefixes.map((prefix) => `${prefix}probabilities`);
  return {
    nodes: [
      ...logits.map((name, k) => node('Softmax', [name], probabilities[k]!)),
      node('Sum', probabilities, 'vote/sum'),
      node('Mul', ['vote/sum', 'vote/share'], 'vote/mean'),
      node('Log', ['vote/mean'], 'logits'),
    ],
    initializers: new Map([['vote/share', float32Tensor(Float32Array.of(1 / prefixes.length), [])]]),
    outputs: [{ name: 'logits', type: { dtype: 'float32', dims: ['batch', classes] } }],
  };
}

function node(op: string, inputs: string[], output: string): Node {
  return { name: `${output}/node`, op, domain: '', inputs, outputs: [output], attributes: new Map() };
}

/** The graph's real inputs: files of IR version 3 and older list initializers among them. */
function sharedInputs({ proto }: OnnxModel): Set<string> {
  const { input, initializer } = proto.graph!;
  const constants = new Set(initializer.map(({ name }) => name));
  return new Set(input.map(({ name }) => name).filter((name) => !constants.has(name)));
}

function prefixNames(graph: GraphProto, prefix: string, shared: ReadonlySet<string>): void {
  const prefixed = (name: string) => (name === '' || shared.has(name) ? name : prefix + name);
  const named = [graph.initializer, graph.input, graph.output, graph.valueInfo];
  for (const list of named) for (const each of list) each.name = prefixed(each.name);
  for (const each of graph.node) {
    each.name = prefixed(each.name);
    each.input = each.input.map(prefixed);
    each.output = each.output.map(prefixed);
    for (const { g, graphs } of each.attribute)
      for (const nested of g ? [g, ...graphs] : graphs) prefixNames(nested, prefix, shared);
  }
}

function checkSameInterface(one: OnnxModel, other: OnnxModel): void {
  const describe = (model: OnnxModel) => {
    const opsets = model.proto.opsetImport.map(({ domain, version }) => `${domain || 'ai.onnx'} ${version}`);
    return `inputs ${[...sharedInputs(model)].join(', ')} (${opsets.join(', ')})`;
  };
  const [expected, found] = [describe(one), describe(other)];
  if (expected === found) return;
  throw new SesdError('SESD_BAD_MODEL', `${other.path} has ${found}, but ${one.path} has ${expected}.`, {
    hint: 'Only runs of the same --onnx model can vote.',
  });
}
