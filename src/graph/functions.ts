import { create } from '@bufbuild/protobuf';
import { SesdError } from '../errors.ts';
import {
  type AttributeProto,
  AttributeProtoSchema,
  type FunctionProto,
  type GraphProto,
  type ModelProto,
  type NodeProto,
  type OperatorSetIdProto,
  type TensorProto,
} from '../onnx/generated/onnx_pb.ts';
import { attributeFromProto } from './attributes.ts';
import type { Attribute, Node } from './graph.ts';

/** A node and the version of ai.onnx it is written in: a function may import another than its model. */
export interface VersionedNode {
  node: Node;
  opset: number;
}

/** Functions may call functions: a small file could otherwise stand for a graph without end. */
const MAX_NODES = 200_000;
const MAX_CALL_DEPTH = 64;
const MAX_NAME_CHARACTERS = 2 ** 26;

interface Scope {
  opset: number;
  /** Names of the graph for names of the function's body; the identity for the graph itself. */
  rename(name: string): string;
  /** A name for one of its nodes. */
  nodeName(name: string): string;
  /** Values of the attributes a function's body refers to. */
  attributes: ReadonlyMap<string, Attribute>;
  depth: number;
}

type Convert = (proto: AttributeProto, where: string) => Attribute;

interface Expansion {
  emit(node: Node, opset: number): void;
  /** The graph's name for a value inside a called body. */
  inner(prefix: string, name: string): string;
  convert: Convert;
  /** What the names inside a call begin with, one for each call. */
  prefixes: FreshNames;
}

class FreshNames {
  readonly #taken = new Map<string, number>();

  /** The name, with a number after it if it was taken before. */
  take(name: string): string {
    let uses = this.#taken.get(name) ?? 0;
    let fresh = name;
    if (uses > 0) {
      do fresh = `${name}_${++uses}`;
      while (this.#taken.has(fresh));
      this.#taken.set(fresh, 1);
    }
    this.#taken.set(name, Math.max(uses, 1));
    return fresh;
  }
}

/** '' for the standard operators, which may also be called ai.onnx. */
export function normalDomain(domain: string): string {
  return domain === 'ai.onnx' ? '' : domain;
}

/** The version of ai.onnx imported, if any. */
export function standardOpset(imports: readonly OperatorSetIdProto[]): number | undefined {
  const entry = imports.find(({ domain }) => normalDomain(domain) === '');
  return entry === undefined ? undefined : Number(entry.version);
}

/**
 * The nodes of the model's graph with calls of its own functions replaced by their bodies. Values inside a
 * body are named `<call's output>/<function>/<name>`. Of an If both branches are there, before a node `sesd::If` whose
 * inputs are the condition, the results of the one and those of the other: see resolveBranches.
 */
export function inlinedNodes(
  model: ModelProto,
  external: ReadonlyMap<TensorProto, Uint8Array>,
  opset: number,
): VersionedNode[] {
  const functions = new Map<string, FunctionProto>();
  for (const fn of model.functions) functions.set(functionKey(fn.domain, fn.name, fn.overload), fn);
  const out: VersionedNode[] = [];
  // A body is read once for each call; its tensors are decoded once.
  const converted = new Map<AttributeProto, Attribute>();
  const convert = (proto: AttributeProto, where: string): Attribute => {
    let attribute = converted.get(proto);
    if (attribute === undefined) {
      attribute = attributeFromProto(proto, external, where);
      converted.set(proto, attribute);
    }
    return attribute;
  };
  // Runtimes refuse two nodes of one name.
  const nodeNames = new FreshNames();
  const prefixes = new FreshNames();
  const emit = (node: Node, opset: number): void => {
    node.name = nodeNames.take(node.name);
    out.push({ node, opset });
  };
  let visited = 0;
  let characters = 0;
  const tooLarge = (what: string) =>
    new SesdError('SESD_BAD_MODEL', `the graph has more than ${what} once its functions are inlined`);
  const inner = (prefix: string, name: string): string => {
    characters += prefix.length + name.length;
    if (characters > MAX_NAME_CHARACTERS) throw tooLarge(`${MAX_NAME_CHARACTERS} characters of names`);
    return `${prefix}/${name}`;
  };

  const expansion: Expansion = { emit, inner, convert, prefixes };
  const expand = (nodes: readonly NodeProto[], scope: Scope): void => {
    for (const proto of nodes) {
      if (++visited > MAX_NODES) throw tooLarge(`${MAX_NODES} nodes`);
      const node = toNode(proto, scope, convert);
      const fn = functions.get(functionKey(proto.domain, proto.opType, proto.overload));
      const branches = fn === undefined ? branchesOf(proto) : undefined;
      if (scope.depth === MAX_CALL_DEPTH && (fn || branches)) {
        const what = fn
          ? `function ${fn.name} calls itself, directly or through others`
          : 'branches in branches';
        throw new SesdError('SESD_BAD_MODEL', `${what}: more than ${MAX_CALL_DEPTH} levels`);
      }
      if (fn) {
        expand(fn.node, calledScope(fn, node, scope, expansion));
      } else if (branches) {
        const prefix = prefixes.take(`${node.name}/branch`);
        const results = branches.flatMap((branch, index) => {
          const inside = branchScope(branch, `${prefix}${index}`, scope, expansion);
          expand(branch.node, inside);
          return branch.output.map(({ name }) => inside.rename(name));
        });
        emit(
          { ...node, domain: 'sesd', inputs: [...node.inputs, ...results], attributes: new Map() },
          scope.opset,
        );
      } else emit(node, scope.opset);
    }
  };
  const same = (name: string): string => name;
  expand(model.graph?.node ?? [], { opset, rename: same, nodeName: same, attributes: new Map(), depth: 0 });
  return out;
}

function functionKey(domain: string, name: string, overload: string): string {
  return [normalDomain(domain), name, overload].join('\0');
}

function calledScope(
  fn: FunctionProto,
  call: Node,
  caller: Scope,
  { emit, inner, convert, prefixes }: Expansion,
): Scope {
  const output = call.outputs.find((name) => name !== '') ?? call.name;
  const prefix = prefixes.take(`${output}/${fn.name}`);
  const names = new Map<string, string>();
  fn.input.forEach((name, i) => {
    names.set(name, call.inputs[i] ?? '');
  });
  const opset = standardOpset(fn.opsetImport) ?? caller.opset;
  fn.output.forEach((name, i) => {
    const outer = call.outputs[i] ?? '';
    const passed = names.get(name);
    if (outer === '') return;
    if (passed === undefined) names.set(name, outer);
    // A parameter handed back, or a value returned twice: the outer name needs a producer of its own.
    else {
      const copy: Node = {
        name: prefix,
        op: 'Identity',
        domain: '',
        inputs: [passed],
        outputs: [outer],
        attributes: new Map(),
      };
      emit(copy, opset);
    }
  });

  const attributes = new Map<string, Attribute>();
  for (const proto of fn.attributeProto) {
    attributes.set(proto.name, convert(proto, `function ${fn.name}`));
  }
  for (const name of [...fn.attribute, ...attributes.keys()]) {
    const given = call.attributes.get(name);
    if (given !== undefined) attributes.set(name, given);
  }
  return {
    opset,
    attributes,
    depth: caller.depth + 1,
    nodeName: (name) => inner(prefix, name),
    rename: (name) => (name === '' ? '' : (names.get(name) ?? inner(prefix, name))),
  };
}

/** What an If runs when its condition holds and when not. */
function branchesOf(proto: NodeProto): [GraphProto, GraphProto] | undefined {
  if (proto.opType !== 'If' || normalDomain(proto.domain) !== '') return undefined;
  const [yes, no] = ['then_branch', 'else_branch'].map(
    (branch) => proto.attribute.find(({ name }) => name === branch)?.g,
  );
  return yes && no && [yes, no];
}

/** A nested graph sees the names around it; its own get a prefix, since two branches may use the same. */
function branchScope(
  branch: GraphProto,
  prefix: string,
  around: Scope,
  { emit, inner, convert }: Expansion,
): Scope {
  const own = new Set(branch.node.flatMap(({ output }) => output));
  for (const { name } of branch.initializer) own.add(name);
  const rename = (name: string) => (own.has(name) && name !== '' ? inner(prefix, name) : around.rename(name));
  for (const tensor of branch.initializer) {
    const value = convert(
      create(AttributeProtoSchema, { name: 'value', t: tensor }),
      `initializer ${tensor.name}`,
    );
    const output = rename(tensor.name);
    emit(
      {
        name: output,
        op: 'Constant',
        domain: '',
        inputs: [],
        outputs: [output],
        attributes: new Map([['value', value]]),
      },
      around.opset,
    );
  }
  return { ...around, depth: around.depth + 1, rename, nodeName: (name) => inner(prefix, name) };
}

function toNode(proto: NodeProto, scope: Scope, convert: Convert): Node {
  const outputs = proto.output.map(scope.rename);
  // Viewers show unnamed nodes by their output.
  const output = outputs.find((each) => each !== '') ?? proto.opType;
  const name = proto.name ? scope.nodeName(proto.name) : output;
  const where = `node '${name}' (${proto.opType})`;
  const attributes = new Map<string, Attribute>();
  for (const attribute of proto.attribute) {
    const value = attributeValue(attribute, scope, convert, where);
    if (value !== undefined) attributes.set(attribute.name, value);
  }
  return {
    name,
    op: proto.opType,
    domain: normalDomain(proto.domain),
    inputs: proto.input.map(scope.rename),
    outputs,
    attributes,
  };
}

/** Undefined for a reference to an attribute the function was not given. */
function attributeValue(
  attribute: AttributeProto,
  scope: Scope,
  convert: Convert,
  where: string,
): Attribute | undefined {
  if (attribute.refAttrName !== '') return scope.attributes.get(attribute.refAttrName);
  return convert(attribute, where);
}
