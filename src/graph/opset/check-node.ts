import { SesdError } from '../../errors.ts';
import { quote } from '../../onnx/tensor.ts';
import { type Node, opName } from '../graph.ts';
import { operatorTable } from './operators.ts';

/** What an operator takes, as its schema says. */
interface Operator {
  inputs: Range;
  outputs: Range;
  attributes: readonly { name: string; kind: string; required: boolean }[];
}

interface Range {
  least: number;
  most: number;
  /** Places among the first `least` that may be empty. */
  optional: ReadonlySet<number>;
}

const operators: ReadonlyMap<string, Operator> = new Map(
  operatorTable
    .trim()
    .split('\n')
    .map((line) => {
      const [name, inputs, outputs, ...attributes] = line.split(' ') as [string, string, string, ...string[]];
      return [
        name,
        { inputs: range(inputs), outputs: range(outputs), attributes: attributes.map(attribute) },
      ];
    }),
);

function range(text: string): Range {
  const [, least, most, optional = ''] = /^(\d+)-(\d+|\*)(?:\?(.*))?$/.exec(text)!;
  return {
    least: Number(least),
    most: most === '*' ? Number.POSITIVE_INFINITY : Number(most),
    optional: new Set(optional.split(',').filter(Boolean).map(Number)),
  };
}

function attribute(text: string): Operator['attributes'][number] {
  const [, name, kind, mark] = /^(.*):(\w+)(!?)$/.exec(text)!;
  return { name: name!, kind: kind!, required: mark === '!' };
}

/**
 * Holds a node of the canonical opset to its operator's schema, so that nothing after import meets one that lacks an
 * input or has an attribute of another kind. Operators of other domains than ai.onnx and com.microsoft are not known.
 *
 * @throws SesdError SESD_BAD_MODEL, or SESD_UNSUPPORTED_OP for an operator ai.onnx does not have
 */
export function checkNode(node: Node): void {
  const operator = operators.get(opName(node));
  if (operator === undefined) {
    if (node.domain !== '') return;
    throw new SesdError(
      'SESD_UNSUPPORTED_OP',
      `node ${quote(node.name)}: ai.onnx has no operator ${quote(node.op)}`,
      {
        hint: 'Export the model with opset 18.',
      },
    );
  }
  checkCount(node, 'input', node.inputs, operator.inputs);
  checkCount(node, 'output', node.outputs, operator.outputs);
  for (const name of node.attributes.keys()) {
    if (!operator.attributes.some((each) => each.name === name)) {
      throw bad(node, `has an attribute ${quote(name)}, which the operator does not have`);
    }
  }
  for (const { name, kind, required } of operator.attributes) {
    const found = node.attributes.get(name);
    if (found === undefined && required) throw bad(node, `has no attribute ${name}`);
    if (found !== undefined && found.kind !== kind.replace('graphs', 'graph')) {
      throw bad(node, `has an attribute ${name} of kind ${found.kind}, expected ${kind}`);
    }
  }
}

/** What is absent is an empty name, or missing at the end. Of any number of outputs each may be. */
function checkCount(
  node: Node,
  what: string,
  names: readonly string[],
  { least, most, optional }: Range,
): void {
  const has = (count: number) => `has ${count} ${what}${count === 1 ? '' : 's'}`;
  if (names.length > most) throw bad(node, `${has(names.length)}, expected at most ${most}`);
  if (most === Number.POSITIVE_INFINITY && what === 'output') return;
  for (let place = 0; place < least; place++) {
    if (names[place] || optional.has(place)) continue;
    throw bad(node, `${has(names.filter(Boolean).length)}, expected at least ${least - optional.size}`);
  }
}

function bad(node: Node, what: string): SesdError {
  return new SesdError('SESD_BAD_MODEL', `node ${quote(node.name)} (${opName(node)}) ${what}`, {
    hint: 'The file is damaged or was written by a broken exporter; download or export it again.',
  });
}
