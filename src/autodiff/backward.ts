import { SesdError } from '../errors.ts';
import type { GraphBuilder } from '../graph/builder.ts';
import {
  consumers,
  type DataType,
  type Graph,
  isFloat,
  type Node,
  opName,
  type TensorData,
} from '../graph/graph.ts';
import { scalarOf } from '../graph/view.ts';
import type { Gradient, RuleContext } from './rule.ts';
import { elementwiseRules, flatOps, gradientRules } from './rules/index.ts';
import { ShapeEmitter } from './shape-emitter.ts';
import { compareDims, sumToShape } from './sum-to-shape.ts';

export interface BackwardOptions {
  /** Values the loss depends on, each with the value that holds the loss's gradient by it. */
  outputs: ReadonlyMap<string, string>;
  /** Values to differentiate by. */
  wrt: readonly string[];
  /** Emit the fused gradients of the `sesd` domain for LayerNormalization, embedding Gather and GatherElements. */
  fused?: boolean;
}

/**
 * Appends the nodes that compute gradients, and may ask forward nodes for optional outputs.
 *
 * @param graph the forward graph, in topological order with inferred types.
 * @param builder where gradients are written: over `graph`, or a graph that shares its types and initializers.
 * @returns the value that holds the gradient of each `wrt`. One the outputs do not depend on is missing.
 * @throws SesdError SESD_NO_GRADIENT_RULE, naming op and node, when a gradient would have to pass an op without a rule.
 */
export function backward(graph: Graph, builder: GraphBuilder, options: BackwardOptions): Map<string, string> {
  return new BackwardWalk([...graph.nodes], builder, options).run();
}

class BackwardWalk {
  readonly builder: GraphBuilder;
  readonly shapes: ShapeEmitter;
  readonly fused: boolean;
  readonly producers: ReadonlyMap<string, Node>;
  readonly users: ReadonlyMap<string, readonly Node[]>;
  readonly #nodes: readonly Node[];
  readonly #options: BackwardOptions;
  /** Values that depend on a wrt through differentiable ops. */
  readonly #active: Set<string>;
  readonly #contributions = new Map<string, Gradient[]>();
  readonly #constants: Map<string, TensorData>;

  constructor(nodes: readonly Node[], builder: GraphBuilder, options: BackwardOptions) {
    this.builder = builder;
    this.shapes = new ShapeEmitter(builder);
    this.fused = options.fused ?? false;
    this.#nodes = nodes;
    this.#options = options;
    this.#active = new Set(options.wrt);
    this.#constants = new Map(builder.graph.initializers);
    this.producers = new Map(nodes.flatMap((node) => node.outputs.map((output) => [output, node])));
    this.users = consumers({ nodes });
    for (const node of nodes) {
      const value = node.op === 'Constant' ? node.attributes.get('value') : undefined;
      if (value?.kind === 'tensor') this.#constants.set(node.outputs[0]!, value.value);
      if (flatOps.has(opName(node)) || !node.inputs.some((input) => this.#active.has(input))) continue;
      for (const output of node.outputs) if (output && this.#isFloat(output)) this.#active.add(output);
    }
  }

  run(): Map<string, string> {
    this.#requireRules();
    for (const [output, gradient] of this.#options.outputs) this.#contribute(output, gradient);
    for (const node of [...this.#nodes].reverse()) {
      if (node.outputs.some((output) => this.#contributions.has(output))) this.#visit(node);
    }
    const gradients = new Map<string, string>();
    for (const name of this.#options.wrt) {
      const gradient = this.#gradientOf(name);
      if (gradient !== undefined) gradients.set(name, gradient);
    }
    return gradients;
  }

  /** An op without a rule is named before its unknown output type can trip the rule of a later one. */
  #requireRules(): void {
    const reached = new Set(this.#options.outputs.keys());
    for (const node of [...this.#nodes].reverse()) {
      if (!node.outputs.some((output) => reached.has(output) && this.#active.has(output))) continue;
      if (gradientRules[opName(node)] === undefined) throw noRule(node, 'no gradient rule is known for it');
      for (const input of node.inputs) if (this.isActive(input)) reached.add(input);
    }
  }

  isActive(name: string): boolean {
    return this.#active.has(name) && this.#isFloat(name);
  }

  constant(name: string): TensorData | undefined {
    return this.#active.has(name) ? undefined : this.#constants.get(name);
  }

  #visit(node: Node): void {
    const op = opName(node);
    const rule = gradientRules[op]!;
    const broadcast = elementwiseRules.has(op);
    const gradients = node.outputs.map((output) => this.#gradientOf(output, broadcast));
    const results = rule(new NodeContext(node, gradients, this));
    for (const [index, input] of node.inputs.entries()) {
      const gradient = results[index];
      if (gradient === undefined || !this.isActive(input)) continue;
      this.#contribute(input, this.#checked(gradient, node, index));
    }
  }

  #contribute(name: string, gradient: Gradient): void {
    if (!this.isActive(name)) return;
    const list = this.#contributions.get(name);
    if (list) list.push(gradient);
    else this.#contributions.set(name, [gradient]);
  }

  /** The sum of a value's contributions; one that is still to be broadcast is expanded unless `broadcast`. */
  #gradientOf(name: string, broadcast = false): string | undefined {
    const contributions = this.#contributions.get(name);
    if (contributions === undefined) return undefined;
    const full = contributions.filter((gradient) => typeof gradient === 'string');
    const narrow = contributions.filter((gradient) => typeof gradient !== 'string').map((g) => g.broadcast);
    // Adding to a full gradient broadcasts a narrow one for free.
    const sum = [...full, ...narrow].reduce((a, b) => this.builder.op('Add', [a, b]));
    const gradient = full.length > 0 || broadcast ? sum : this.shapes.expandLike(sum, name);
    this.#contributions.set(name, [gradient === sum && full.length === 0 ? { broadcast: sum } : gradient]);
    return gradient;
  }

  /** Holds a rule to its word: the element type of the input, and its shape after summing over broadcast axes. */
  #checked(gradient: Gradient, node: Node, index: number): Gradient {
    const name = typeof gradient === 'string' ? gradient : gradient.broadcast;
    const input = node.inputs[index]!;
    const found = this.builder.typeOf(name);
    const expected = this.builder.typeOf(input);
    // The output of an op inference does not know: whether it has a rule is seen when the walk gets there.
    if (expected === undefined) return gradient;
    if (found === undefined) throw wrongGradient(node, index, 'its type is unknown');
    if (found.dtype !== expected.dtype) {
      throw wrongGradient(node, index, `expected ${expected.dtype}, found ${found.dtype}`);
    }
    if (typeof gradient !== 'string') return gradient;
    const agreement = compareDims(found.dims, expected.dims);
    if (agreement.kind === 'disagree') {
      throw wrongGradient(node, index, `expected [${expected.dims}], found [${found.dims}]`);
    }
    return sumToShape(gradient, input, agreement, this.builder, this.shapes);
  }

  #isFloat(name: string): boolean {
    const type = this.builder.typeOf(name);
    return type === undefined || isFloat(type.dtype);
  }
}

class NodeContext implements RuleContext {
  readonly node: Node;
  readonly outputGradients: readonly (string | undefined)[];
  readonly #walk: BackwardWalk;

  constructor(node: Node, outputGradients: readonly (string | undefined)[], walk: BackwardWalk) {
    this.node = node;
    this.outputGradients = outputGradients;
    this.#walk = walk;
  }

  get builder(): GraphBuilder {
    return this.#walk.builder;
  }

  get shapes(): ShapeEmitter {
    return this.#walk.shapes;
  }

  get fused(): boolean {
    return this.#walk.fused;
  }

  get outputGradient(): string {
    const extra = this.outputGradients.findIndex((gradient, index) => index > 0 && gradient !== undefined);
    if (extra > 0) this.unsupported(`the loss depends on its output ${extra}`);
    return this.outputGradients[0]!;
  }

  needs(index: number): boolean {
    return this.#walk.isActive(this.input(index));
  }

  input(index: number): string {
    return this.node.inputs[index] ?? '';
  }

  output(index: number): string {
    return this.builder.requireOutput(this.node, index);
  }

  producer(name: string): Node | undefined {
    return this.#walk.producers.get(name);
  }

  users(name: string): readonly Node[] {
    return this.#walk.users.get(name) ?? [];
  }

  dtype(name: string): DataType {
    return this.builder.typeOf(name)?.dtype ?? this.unsupported(`the type of ${name} is unknown`);
  }

  dims(name: string) {
    return this.builder.typeOf(name)?.dims;
  }

  rank(name: string): number {
    return this.dims(name)?.length ?? this.unsupported(`the rank of ${name} is unknown`);
  }

  constantScalar(name: string): number | undefined {
    const tensor = this.#walk.constant(name);
    return tensor && scalarOf(tensor);
  }

  constantInts(name: string): number[] | undefined {
    const elements = this.builder.elementsOf(name);
    return elements?.every((element) => typeof element === 'number') ? [...elements] : undefined;
  }

  scalar(value: number, like = this.input(0)): string {
    const dtype = this.dtype(like);
    if (dtype === 'float32' || dtype === 'float64') return this.builder.scalar(value, dtype);
    throw noRule(this.node, `its values are ${dtype}`, 'Export the model in float32: training is.');
  }

  unsupported(reason: string): never {
    throw noRule(this.node, reason);
  }
}

function describe(node: Node): string {
  return `${opName(node)} (node "${node.name}")`;
}

function noRule(
  node: Node,
  reason: string,
  hint = 'Freeze the parameters that feed it, or export the model without this op (Optimum and torch.onnx at opset 14 to 18 give supported graphs).',
): SesdError {
  const message = `Cannot differentiate ${describe(node)}: ${reason}.`;
  return new SesdError('SESD_NO_GRADIENT_RULE', message, { hint });
}

function wrongGradient(node: Node, index: number, found: string): SesdError {
  return new SesdError(
    'SESD_NO_GRADIENT_RULE',
    `The gradient of ${describe(node)} by input ${index} ("${node.inputs[index]}") does not fit it: ${found}.`,
    {
      hint: "Either the model's declared shapes are wrong, or this is a defect of the op's gradient rule: please report it.",
    },
  );
}
