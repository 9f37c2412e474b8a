import { setImmediate as turn } from 'node:timers/promises';
import type { Feed, PlannedGraph, TrainingPlan } from '../engine/plan.ts';
import { SesdError } from '../errors.ts';
import { GraphBuilder } from '../graph/builder.ts';
import { checkSizes } from '../graph/check-sizes.ts';
import type { DataType, Graph } from '../graph/graph.ts';
import { inferGraph, newInference } from '../graph/infer/infer.ts';
import { lowerNodes } from '../graph/lowerings/lower-nodes.ts';
import { checkCuda } from '../graph/opset/check-cuda.ts';
import { fuseAttention } from '../graph/passes/fuse-attention.ts';
import { fuseGelu } from '../graph/passes/fuse-gelu.ts';
import { fuseLayerNormalization } from '../graph/passes/fuse-layer-normalization.ts';
import { fuseResidualLayerNormalization } from '../graph/passes/fuse-residual-layer-normalization.ts';
import { hoistShapes } from '../graph/passes/hoist-shapes.ts';
import { cutShapes } from '../graph/passes/host-shapes.ts';
import { lowerDropout } from '../graph/passes/lower-dropout.ts';
import { type HalfType, mixPrecision } from '../graph/passes/mix-precision.ts';
import { narrowRelativePositions } from '../graph/passes/narrow-relative-positions.ts';
import { narrowTokens } from '../graph/passes/narrow-tokens.ts';
import { ownProducts, type Precision } from '../graph/passes/own-products.ts';
import { packTokens } from '../graph/passes/pack-tokens.ts';
import { settle } from '../graph/passes/replace-node.ts';
import { simplify } from '../graph/passes/simplify.ts';
import { cloneGraph, removeDeadNodes } from '../graph/rewrite.ts';
import { serializeGraph } from '../graph/serialize.ts';
import { GraphView } from '../graph/view.ts';
import { attachHead } from './attach-head.ts';
import { DROPOUT_KEY, type DropoutSites, findDropoutSites, insertDropout } from './dropout.ts';
import { frozenBy } from './freeze.ts';
import type { Head, HeadKind } from './head.ts';
import { takeInDense } from './head-dense.ts';
import { type BertInputs, batchDims, findInputs } from './inputs.ts';
import { learningRateScales } from './layer-rates.ts';
import { findPacking, packedFeeds } from './packing.ts';
import type { RunProbe } from './padding-masks.ts';
import { describeParameter, type FrozenTensor, findParameters } from './parameters.ts';
import { findPlaces, type Places } from './places.ts';
import { type FamilyConfig, findPositions } from './positions.ts';
import { reinitialize } from './reinitialize.ts';
import { trainingHalves } from './training-halves.ts';

export interface BertOptions {
  /** config.json beside the model. */
  config?: FamilyConfig | undefined;
  /** Number of labels; the graph's own when it has a classifier and this is absent. */
  classes?: number;
  head: HeadKind;
  /** Ratio of every dropout site; 0 puts none in. */
  dropout: number;
  /** Use the fused operators; without, stock ONNX ops throughout. */
  fuse: boolean;
  /** Graphs for this device: for cuda, of what it has kernels for, with shapes computed on the host. Without `fuse`. */
  device?: 'cpu' | 'cuda';
  /** What the operands of matrix products are rounded to: in fused operators bf16, for cuda also fp16; nothing when absent. */
  precision?: Precision | 'fp16';
  /** Seed of new weights. */
  seed: number;
  /** Regular expression of the weights that are not trained, see `frozenBy`. */
  freeze?: string | undefined;
  /** Runs a small graph: with it, padding is left out of models that allow it, see `packTokens`. Needs `fuse`. */
  probe?: RunProbe;
  /** What the learning rate falls by from layer to layer, see `learningRateScales`; 1 when absent. */
  layerLrDecay?: number;
  /** Number of layers from the top that begin with new weights, see `reinitialize`; 0 when absent. */
  reinitTop?: number;
}

/** The element types of half precision by their names in `--precision`. */
export const halfTypes: Readonly<Partial<Record<'fp32' | 'bf16' | 'fp16' | 'auto', HalfType>>> = {
  ...{ bf16: 'bfloat16', fp16: 'float16' },
};

export interface PreparedBert {
  plan: TrainingPlan;
  head: Head;
  /** Outputs of the file that the trained model has no more. */
  dropped: readonly string[];
  inputs: BertInputs;
  sites: DropoutSites;
  places: Places;
  /** Names of the weights that began anew. */
  reinitialized: readonly string[];
  /** Patterns fused in the training graph, by op. */
  fused: ReadonlyMap<string, number>;
  /** Whether padding is left out of what is computed. */
  packed: boolean;
  /** Float tensors of the file that the logits depend on but that cannot be trained, with the reason. */
  frozen: readonly FrozenTensor[];
}

/**
 * From an imported encoder or classifier to the three graphs that train it. The graph is not changed. Lets the
 * event loop turn between its steps: a large model takes a few tenths of a second in all.
 */
export async function prepareBert(source: Graph, options: BertOptions): Promise<PreparedBert> {
  const graph = cloneGraph(source);
  lowerNodes(graph);
  const inputs = nameDims(graph);
  const inference = inferGraph(graph);
  const canonical = new GraphBuilder(graph, inference);
  hoistShapes(canonical);
  simplify(graph, inference);
  await turn();
  const { head, dropped } = attachHead(graph, inputs, options);
  const whole = inferGraph(graph);
  checkSizes(graph);
  const view = new GraphView(graph);
  const positions = findPositions(view, inputs.embeddings.positions, {
    fed: inputs.inputs.some(({ role }) => role === 'positions'),
    config: options.config,
  });
  const sites = findDropoutSites(view, { positions, head: takeInDense(view, head, positions) });
  const places = findPlaces(view, head, batchDims(inputs));
  const inferred = narrowTokens(new GraphBuilder(graph, whole)) ? inferGraph(graph) : whole;
  await turn();

  const feeds: Feed[] = inputs.inputs.map(({ role, name, dtype }) => ({
    role,
    name,
    dtype: feedType(name, dtype),
    ...(role === 'positions' && { first: positions.first }),
  }));
  const packing = options.fuse
    ? await findPacking(graph, inputs, {
        feeds,
        head,
        sites,
        longest: positions.longest,
        probe: options.probe,
      })
    : undefined;

  const inferenceGraph = cloneGraph(graph);
  // What is inferred goes by names, and both graphs get new ones.
  const inferenceBuilder = narrowed(new GraphBuilder(inferenceGraph, inferGraph(inferenceGraph)), options);
  await rewrite(inferenceBuilder, options.fuse);
  if (packing) packTokens(inferenceBuilder, packing);
  const forCuda = options.device === 'cuda';
  const half = forCuda ? halfTypes[options.precision ?? 'fp32'] : undefined;
  if (forCuda) hoistShapes(inferenceBuilder);
  if (half) {
    mixPrecision(inferenceBuilder, half);
    removeDeadNodes(inferenceGraph);
  }

  const full = new GraphBuilder(graph, inferred);
  if (options.dropout > 0) insertDropout(full, sites, options.dropout);
  const unpacked = narrowed(full, options);
  const fused = await rewrite(unpacked, options.fuse);
  const packed = packing !== undefined && packTokens(unpacked, packing);
  const builder = packed ? new GraphBuilder(graph, inferGraph(graph)) : unpacked;
  if (forCuda) hoistShapes(builder);
  const { names, frozen } = findParameters(graph, inferenceGraph);
  const { freeze, layerLrDecay = 1, reinitTop = 0, seed } = options;
  const kept = freeze === undefined ? new Set<string>() : frozenBy(freeze, names, places);
  const reinitialized = reinitialize(graph, names, places, { top: reinitTop, seed, kept });
  const scaleOf = learningRateScales(places, layerLrDecay);
  const wanted = names.filter((name) => !kept.has(name));
  const halves = await trainingHalves(builder, {
    ...{ logits: head.logits, wanted, kept, fused: options.fuse, forCuda, half },
  });
  const trained = new Set(halves.gradients.keys());
  for (const name of wanted) if (!trained.has(name)) frozen.push({ name, reason: 'no gradient reaches it' });

  const weights = new Set([...trained, ...kept]);
  if (options.fuse) {
    for (const each of [halves.forward, halves.backward, inferenceGraph])
      ownProducts(new GraphBuilder(each, newInference()), options.precision === 'bf16' ? 'bf16' : 'fp32');
  }
  if (forCuda) for (const each of [halves.forward, halves.backward, inferenceGraph]) checkCuda(each);
  const fed = new Set(graph.inputs);
  const planned = (part: Graph) => plannedGraph(part, weights, fed, forCuda);
  const forward = planned(halves.forward);
  await turn();
  const backwardGraph = planned(halves.backward);
  await turn();
  const predicting = planned(inferenceGraph);
  const read = new Set([forward, backwardGraph, predicting].flatMap((part) => part.feeds));
  const describe = (name: string) =>
    describeParameter(name, graph.initializers.get(name)!, {
      head: head.parameters,
      learningRateScale: scaleOf(name),
    });
  const plan: TrainingPlan = {
    parameters: [...trained].map(describe),
    frozen: [...kept].map(describe),
    initial: new Map([...weights].map((name) => [name, graph.initializers.get(name)!])),
    feeds: packed ? [...feeds, ...packedFeeds.filter(({ name }) => read.has(name))] : feeds,
    forward: { ...forward, stash: halves.stash },
    backward: {
      ...backwardGraph,
      ...{ dlogits: halves.dlogits, gradients: halves.gradients, scaled: half === 'float16' },
    },
    inference: predicting,
    logits: head.logits,
    dropoutKey: options.dropout > 0 ? DROPOUT_KEY : undefined,
    classes: head.classes,
    fixed: inputs.fixed,
    maxPositions: positions.longest,
  };
  return { plan, head, dropped, inputs, sites, places, reinitialized, fused, packed, frozen };
}

/** Gives batch and sequence one name each in every input: exporters often leave them unrelated. */
function nameDims(graph: Graph): BertInputs {
  const inputs = findInputs(new GraphView(graph));
  const { rows, length } = batchDims(inputs);
  for (const { name, dtype } of inputs.inputs) {
    const dims = graph.types.get(name)?.dims;
    if (dims?.length !== 2) {
      throw new SesdError(
        'SESD_BAD_MODEL',
        `Input ${name}: expected [batch, sequence], found ${dims ? `[${dims.join(', ')}]` : 'no shape'}.`,
        { hint: 'Export the model with two-dimensional input_ids, attention_mask and token_type_ids.' },
      );
    }
    graph.types.set(name, { dtype, dims: [rows, length] });
  }
  return inputs;
}

/** Without the relative positions that a batch's lengths have no use for, unless stock operators are to be the file's. */
function narrowed(builder: GraphBuilder, { fuse }: Pick<BertOptions, 'fuse'>): GraphBuilder {
  const { graph } = builder;
  return fuse && narrowRelativePositions(builder) ? new GraphBuilder(graph, inferGraph(graph)) : builder;
}

/** The fused or the stock form of a graph whose dropout is in place. Returns what was fused. */
async function rewrite(builder: GraphBuilder, fuse: boolean): Promise<Map<string, number>> {
  const fused = new Map<string, number>();
  if (!fuse) {
    lowerDropout(builder);
    return fused;
  }
  const passes = {
    LayerNormalization: fuseLayerNormalization,
    BiasGelu: fuseGelu,
    Attention: fuseAttention,
    ResidualLayerNormalization: fuseResidualLayerNormalization,
  };
  for (const [op, pass] of Object.entries(passes)) {
    fused.set(op, pass(builder));
    settle(builder);
    await turn();
  }
  return fused;
}

/** Serializes a graph with the weights as inputs instead of initializers. */
function plannedGraph(
  graph: Graph,
  weights: ReadonlySet<string>,
  fed: ReadonlySet<string>,
  forCuda: boolean,
): PlannedGraph {
  const shapes = forCuda ? cutShapes(graph, fed) : undefined;

  const read = new Set(graph.nodes.flatMap((node) => node.inputs));
  const own = [...weights].filter((name) => read.has(name));
  const inputs = graph.inputs.filter((name) => read.has(name));
  const initializers = new Map([...graph.initializers].filter(([name]) => !weights.has(name)));
  const model = serializeGraph({ ...graph, initializers, inputs: [...inputs, ...own] });
  const feeds = inputs.filter((name) => fed.has(name));
  return { model, weights: own, feeds, ...(shapes && { shapes }) };
}

function feedType(name: string, dtype: DataType): TrainingPlan['feeds'][number]['dtype'] {
  if (dtype === 'int64' || dtype === 'int32' || dtype === 'float32' || dtype === 'bool') return dtype;
  throw new SesdError(
    'SESD_BAD_MODEL',
    `Input ${name}: expected int64, int32, float32 or bool, found ${dtype}.`,
    {
      hint: 'Export the model with int64 inputs.',
    },
  );
}
