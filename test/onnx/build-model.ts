import { create, toBinary } from '@bufbuild/protobuf';
import { attributeToProto, tensorToProto } from '../../src/graph/attributes.ts';
import { type AttributeInit, toAttribute } from '../../src/graph/builder.ts';
import type { DataType, TensorData, ValueType } from '../../src/graph/graph.ts';
import { valueInfo } from '../../src/graph/serialize.ts';
import {
  type FunctionProto,
  GraphProtoSchema,
  type ModelProto,
  ModelProtoSchema,
  type NodeProto,
  NodeProtoSchema,
} from '../../src/onnx/generated/onnx_pb.ts';
import { dataTypeNumber } from '../../src/onnx/tensor.ts';

export interface ModelInit {
  opset?: number;
  domains?: Record<string, number>;
  inputs: Record<string, ValueType>;
  outputs: Record<string, ValueType | undefined>;
  nodes: NodeProto[];
  initializers?: Record<string, TensorData>;
  functions?: FunctionProto[];
}

/** A ModelProto as an exporter would write it. */
export function buildModel(init: ModelInit): ModelProto {
  return create(ModelProtoSchema, {
    irVersion: 8n,
    producerName: 'test',
    opsetImport: [
      { domain: '', version: BigInt(init.opset ?? 18) },
      ...Object.entries(init.domains ?? {}).map(([domain, version]) => ({
        domain,
        version: BigInt(version),
      })),
    ],
    functions: init.functions ?? [],
    graph: create(GraphProtoSchema, {
      name: 'main',
      input: Object.entries(init.inputs).map(([name, type]) => valueInfo(name, type)),
      output: Object.entries(init.outputs).map(([name, type]) => valueInfo(name, type)),
      node: init.nodes,
      initializer: Object.entries(init.initializers ?? {}).map(([name, data]) => tensorToProto(name, data)),
    }),
  });
}

export function node(
  opType: string,
  input: string[],
  output: string[],
  attributes: Record<string, AttributeInit> = {},
  more: { domain?: string; name?: string } = {},
): NodeProto {
  const attribute = Object.entries(attributes).map(([name, value]) =>
    attributeToProto(name, toAttribute(value)),
  );
  return create(NodeProtoSchema, {
    opType,
    input,
    output,
    attribute,
    name: `${opType}_${output[0]}`,
    ...more,
  });
}

export function float(...dims: (number | string)[]): ValueType {
  return { dtype: 'float32', dims };
}

export function int64(...dims: (number | string)[]): ValueType {
  return { dtype: 'int64', dims };
}

export const bytesOf = (model: ModelProto): Uint8Array => toBinary(ModelProtoSchema, model);

export function typeNumber(dtype: DataType): number {
  return dataTypeNumber[dtype];
}
