import { create, toBinary } from '@bufbuild/protobuf';
import {
  GraphProtoSchema,
  ModelProtoSchema,
  NodeProtoSchema,
  ValueInfoProtoSchema,
} from '../../src/onnx/generated/onnx_pb.ts';

/** elem_type numbers of onnx.proto. */
const elementTypes = { float32: 1, uint8: 2, int32: 6, int64: 7, bool: 9, float64: 11 } as const;

export interface Port {
  name: string;
  dtype: keyof typeof elementTypes;
  /** A string is a dimension left open. */
  dims: readonly (number | string)[];
}

export interface TinyNode {
  op: string;
  inputs: string[];
  outputs: string[];
}

/** A serialized ModelProto of opset 18 without initializers. */
export function tinyModel(inputs: Port[], outputs: Port[], nodes: TinyNode[]): Uint8Array {
  const info = ({ name, dtype, dims }: Port) =>
    create(ValueInfoProtoSchema, {
      name,
      type: {
        tensorType: {
          elemType: elementTypes[dtype],
          shape: {
            dim: dims.map((dim) => ({
              value:
                typeof dim === 'string'
                  ? { case: 'dimParam' as const, value: dim }
                  : { case: 'dimValue' as const, value: BigInt(dim) },
            })),
          },
        },
      },
    });
  const graph = create(GraphProtoSchema, {
    name: 'tiny',
    input: inputs.map(info),
    output: outputs.map(info),
    node: nodes.map(({ op, inputs: input, outputs: output }, i) =>
      create(NodeProtoSchema, { name: `${op}_${i}`, opType: op, input, output }),
    ),
  });
  const model = create(ModelProtoSchema, {
    irVersion: 9n,
    graph,
    opsetImport: [{ domain: '', version: 18n }],
  });
  return toBinary(ModelProtoSchema, model);
}

/** y = x·w·w·…: `products` matrix products one after the other, seconds of work for large x. */
export function longModel(products: number): Uint8Array {
  const square = (name: string): Port => ({ name, dtype: 'float32', dims: ['n', 'n'] });
  const nodes = Array.from({ length: products }, (_, i) => ({
    op: 'MatMul',
    inputs: [i === 0 ? 'x' : `h${i}`, 'w'],
    outputs: [i === products - 1 ? 'y' : `h${i + 1}`],
  }));
  return tinyModel([square('x'), square('w')], [square('y')], nodes);
}
