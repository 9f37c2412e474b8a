import { SesdError } from '../../errors.ts';
import { type Attribute, type Node, opName, type TensorData } from '../graph.ts';

/** ai.onnx ops a head may use, by the opset that brought them (in the form of 18 but for the cases below). */
const since: Readonly<Record<string, number>> = { LayerNormalization: 17, Gelu: 20, Trilu: 14 };

const reductions = new Set([
  'ReduceL1',
  'ReduceL2',
  'ReduceLogSum',
  'ReduceLogSumExp',
  'ReduceMax',
  'ReduceMean',
  'ReduceMin',
  'ReduceProd',
  'ReduceSumSquare',
]);

/**
 * A node of opset 18 as one of ai.onnx opset `to`: what is appended to a user's model has to be written in
 * that model's opset. The counterpart of `upgradeNode`.
 *
 * @param constant Elements of an initializer; inputs that became attributes must be constant.
 * @throws SesdError SESD_UNSUPPORTED_OP when opset `to` has no such op.
 */
export function downgradeNode(
  node: Node,
  to: number,
  constant: (name: string) => TensorData | undefined,
): Node {
  if (node.domain !== '') return node;
  if ((since[node.op] ?? 0) > to) throw unsupported(node, to, 'it has no such op');
  const toAttribute = (name: string): Node => inputToAttribute(node, name, to, constant);
  if (reductions.has(node.op)) return to < 18 ? toAttribute('axes') : node;
  switch (node.op) {
    case 'Squeeze':
    case 'Unsqueeze':
    case 'ReduceSum':
      return to < 13 ? toAttribute('axes') : node;
    case 'Split': {
      if (to >= 18) return node;
      const { attributes, ...rest } = to < 13 ? toAttribute('split') : node;
      return { ...rest, attributes: without(attributes, 'num_outputs') };
    }
    case 'Softmax':
    case 'LogSoftmax':
    case 'Hardmax':
      if (to < 13 && node.attributes.get('axis') === undefined) {
        return {
          ...node,
          attributes: new Map<string, Attribute>([...node.attributes, ['axis', { kind: 'int', value: -1n }]]),
        };
      }
      return node;
    default:
      return node;
  }
}

function without(attributes: Node['attributes'], name: string): Map<string, Attribute> {
  const rest = new Map(attributes);
  rest.delete(name);
  return rest;
}

function inputToAttribute(
  node: Node,
  name: string,
  to: number,
  constant: (name: string) => TensorData | undefined,
): Node {
  const input = node.inputs[1];
  const attributes = without(node.attributes, 'noop_with_empty_axes');
  if (!input) return { ...node, attributes };
  const data = constant(input);
  if (data?.dtype !== 'int64') throw unsupported(node, to, `its ${name} must be constant there`);
  const view = new DataView(data.bytes.buffer, data.bytes.byteOffset, data.bytes.byteLength);
  const values = Array.from({ length: data.bytes.length / 8 }, (_, i) => view.getBigInt64(8 * i, true));
  attributes.set(name, { kind: 'ints', value: values });
  return { ...node, inputs: node.inputs.slice(0, 1), attributes };
}

function unsupported(node: Node, to: number, why: string): SesdError {
  return new SesdError(
    'SESD_UNSUPPORTED_OP',
    `node '${node.name}' (${opName(node)}) cannot be added to a model of opset ${to}: ${why}`,
    { hint: 'Export the source model with opset 18.' },
  );
}
