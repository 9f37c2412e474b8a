import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { toBinary } from '@bufbuild/protobuf';
import type { TrainOptions } from '../config/train-options.ts';
import { SesdError } from '../errors.ts';
import { having, isConstant, plannableTensors } from '../onnx/encode.ts';
import { type NodeProto, NodeProtoSchema } from '../onnx/generated/onnx_pb.ts';
import type { OnnxModel } from '../onnx/read.ts';
import { tensorData } from '../onnx/tensor.ts';

/** Bytes hashed at a time: some milliseconds. */
const PIECE = 8 << 20;

/**
 * A digest of what a run takes from the model's file and its checkpoints do not hold: the nodes, and the tensors that are
 * not `trained`, by name.
 */
export async function modelDigest(
  { proto, external }: OnnxModel,
  trained: ReadonlySet<string>,
): Promise<string> {
  const graph = proto.graph!;
  const hash = createHash('sha256');
  for (const node of graph.node) hash.update(toBinary(NodeProtoSchema, withoutTensor(node)));
  for (const { name, tensor } of plannableTensors(graph)) {
    if (trained.has(name)) continue;
    const { dtype, dims, bytes } = tensorData(tensor, external);
    hash.update(JSON.stringify({ name, dtype, dims }));
    for (let from = 0; from < bytes.length; from += PIECE) {
      hash.update(bytes.subarray(from, from + PIECE));
      await setImmediate(); // a large table must not hold up the event loop
    }
  }
  return hash.digest('hex');
}

/** The tensor of a Constant is looked at as an initializer is. */
function withoutTensor(node: NodeProto): NodeProto {
  return isConstant(node)
    ? having(node, { attribute: node.attribute.filter(({ t }) => t === undefined) })
    : node;
}

/**
 * Checks that a resumed run has the model it was started with: its graph and the weights that are not trained.
 * @throws SesdError SESD_CHECKPOINT naming the flag and the file
 */
export function requireSameModel(stored: string, found: string, { onnx }: Pick<TrainOptions, 'onnx'>): void {
  if (stored === found) return;
  const origin = onnx === undefined ? 'The embedded model' : `The model of --onnx ${onnx}`;
  throw new SesdError('SESD_CHECKPOINT', `${origin} is not the one the run was started with.`, {
    hint: 'Restore the file as it was, or start a new run.',
  });
}
