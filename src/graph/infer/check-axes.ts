import { SesdError } from '../../errors.ts';
import { quote } from '../../onnx/tensor.ts';
import { intAttribute, intsAttribute, opName } from '../graph.ts';
import type { NodeInference } from './node-inference.ts';

/** Which axes of its first input an op names, and where. */
interface AxesOf {
  /** Attribute that is one axis, with its default. */
  attribute?: readonly [name: string, fallback: number];
  /** Input, or attribute of the same meaning, that lists axes. */
  list?: { input: number; attribute?: string };
  /** Axes that exist beside those of the input: one behind the last, or as many as are listed. */
  more?: 'one' | 'listed';
}

const axis = (fallback: number): AxesOf => ({ attribute: ['axis', fallback] });
const reduction: AxesOf = { list: { input: 1, attribute: 'axes' } };

const axesOf: Readonly<Record<string, AxesOf>> = {
  ...Object.fromEntries(['Softmax', 'LogSoftmax', 'Hardmax', 'TopK'].map((op) => [op, axis(-1)])),
  ...Object.fromEntries(['LayerNormalization', 'RMSNormalization'].map((op) => [op, axis(-1)])),
  ...Object.fromEntries(['Gather', 'GatherElements', 'Concat', 'Split'].map((op) => [op, axis(0)])),
  ...Object.fromEntries(['ArgMax', 'ArgMin', 'ScatterElements'].map((op) => [op, axis(0)])),
  ...Object.fromEntries(
    ['Sum', 'Mean', 'Max', 'Min', 'Prod', 'L1', 'L2', 'SumSquare', 'LogSum', 'LogSumExp'].map((name) => [
      `Reduce${name}`,
      reduction,
    ]),
  ),
  SimplifiedLayerNormalization: axis(-1),
  Flatten: { attribute: ['axis', 1], more: 'one' },
  OneHot: { attribute: ['axis', -1], more: 'one' },
  Squeeze: reduction,
  Unsqueeze: { ...reduction, more: 'listed' },
  Slice: { list: { input: 3 } },
  Pad: { list: { input: 3 } },
  CumSum: { list: { input: 1 } },
};

/**
 * Holds a node to the axes its first input has, as far as its rank is known: rules and passes count on it.
 * @throws SesdError SESD_BAD_MODEL naming the axis
 */
export function checkAxes(at: NodeInference): void {
  const rank = at.dims(0)?.length;
  if (rank === undefined) return;
  const { node } = at;
  const op = opName(node);
  if (op === 'Transpose') checkPermutation(at, rank);
  const of = axesOf[op];
  if (of === undefined) return;
  const named =
    of.attribute === undefined
      ? (at.numbersOrAttribute(of.list!.input, of.list!.attribute ?? '') ?? [])
      : [intAttribute(node, ...of.attribute)];
  const axes = rank + (of.more === 'one' ? 1 : of.more === 'listed' ? named.length : 0);
  for (const each of named) if (each < -axes || each >= axes) throw bad(at, `names the axis ${each}`, rank);
}

function checkPermutation(at: NodeInference, rank: number): void {
  const order = intsAttribute(at.node, 'perm');
  if (order === undefined) return;
  const sorted = [...order].sort((a, b) => a - b);
  if (order.length !== rank || sorted.some((each, index) => each !== index)) {
    throw bad(at, `puts axes in the order [${order.slice(0, 8)}]`, rank);
  }
}

function bad({ node }: NodeInference, what: string, rank: number): SesdError {
  const input = `${quote(node.inputs[0] ?? '')} has ${rank} axes`;
  return new SesdError(
    'SESD_BAD_MODEL',
    `node ${quote(node.name)} (${opName(node)}) ${what}; its input ${input}`,
    {
      hint: 'The file is damaged or was written by a broken exporter; download or export it again.',
    },
  );
}
