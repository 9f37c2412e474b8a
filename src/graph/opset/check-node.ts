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
  const [least, most] = text.split('-') as [string, string];
  return { least: Number(least), most: most === '*' ? Number.POSITIVE_INFINITY : Number(most) };
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
  for (const { name, kind, required } of operator.attributes) {
    const found = node.attributes.get(name);
    if (found === undefined && required) throw bad(node, `has no attribute ${name}`);
    if (found !== undefined && found.kind !== kind.replace('graphs', 'graph')) {
      throw bad(node, `has an attribute ${name} of kind ${found.kind}, expected ${kind}`);
    }
  }
}

/** Optional values that come first are empty names; any number of values has no such place. */
function checkCount(node: Node, what: string, names: readonly string[], { least, most }: Range): void {
  const has = (count: number) => `has ${count} ${what}${count === 1 ? '' : 's'}`;
  if (names.length > most) throw bad(node, `${has(names.length)}, expected at most ${most}`);
  const needed = most === Number.POSITIVE_INFINITY && what === 'output' ? [] : names.slice(0, least);
  if (names.length < least || needed.includes('')) {
    throw bad(node, `${has(names.filter(Boolean).length)}, expected at least ${least}`);
  }
}

function bad(node: Node, what: string): SesdError {
  return new SesdError('SESD_BAD_MODEL', `node ${quote(node.name)} (${opName(node)}) ${what}`, {
    hint: 'The file is damaged or was written by a broken exporter; download or export it again.',
  });
}
