import { create } from '@bufbuild/protobuf';
import { SesdError } from '../errors.ts';
import {
  type AttributeProto,
  AttributeProtoSchema,
  type TensorProto,
  TensorProtoSchema,
} from '../onnx/generated/onnx_pb.ts';
import { dataTypeNumber, tensorData, within } from '../onnx/tensor.ts';
import type { Attribute, TensorData } from './graph.ts';

/** AttributeProto.AttributeType numbers. */
const attributeType = {
  float: 1,
  int: 2,
  string: 3,
  tensor: 4,
  graph: 5,
  floats: 6,
  ints: 7,
  strings: 8,
  graphs: 10,
} as const;

const utf8 = new TextDecoder();

/** An attribute of a node. `where` names the node in errors. */
export function attributeFromProto(
  proto: AttributeProto,
  external: ReadonlyMap<TensorProto, Uint8Array>,
  where: string,
): Attribute {
  switch (proto.type || guessedType(proto)) {
    case attributeType.float:
      return { kind: 'float', value: proto.f };
    case attributeType.int:
      return { kind: 'int', value: proto.i };
    case attributeType.string:
      return { kind: 'string', value: utf8.decode(proto.s) };
    case attributeType.floats:
      return { kind: 'floats', value: proto.floats };
    case attributeType.ints:
      return { kind: 'ints', value: proto.ints };
    case attributeType.strings:
      return { kind: 'strings', value: proto.strings.map((bytes) => utf8.decode(bytes)) };
    case attributeType.tensor:
      if (proto.t === undefined) break;
      try {
        return { kind: 'tensor', value: tensorData(proto.t, external) };
      } catch (error) {
        throw within(where, error);
      }
    case attributeType.graph:
    case attributeType.graphs:
      return { kind: 'graph' };
  }
  throw new SesdError(
    'SESD_UNSUPPORTED_OP',
    `${where}: attribute '${proto.name}' is of a kind (${proto.type}) other than numbers, strings, tensors and graphs`,
  );
}

/** Files of IR version 1 carry no attribute types; then the field that is set tells. */
function guessedType(proto: AttributeProto): number {
  if (proto.t) return attributeType.tensor;
  if (proto.g) return attributeType.graph;
  if (proto.ints.length > 0) return attributeType.ints;
  if (proto.floats.length > 0) return attributeType.floats;
  if (proto.strings.length > 0) return attributeType.strings;
  if (Object.hasOwn(proto, 's')) return attributeType.string;
  if (Object.hasOwn(proto, 'f')) return attributeType.float;
  return attributeType.int;
}

export function attributeToProto(name: string, attribute: Attribute): AttributeProto {
  const proto = create(AttributeProtoSchema, { name });
  switch (attribute.kind) {
    case 'float':
      proto.f = Math.fround(attribute.value);
      break;
    case 'int':
      proto.i = attribute.value;
      break;
    case 'string':
      proto.s = Buffer.from(attribute.value);
      break;
    case 'floats':
      proto.floats = attribute.value.map(Math.fround);
      break;
    case 'ints':
      proto.ints = [...attribute.value];
      break;
    case 'strings':
      proto.strings = attribute.value.map((text) => Buffer.from(text));
      break;
    case 'tensor':
      proto.t = tensorToProto('', attribute.value);
      break;
    case 'graph':
      throw new SesdError('SESD_UNSUPPORTED_OP', `attribute '${name}' is a nested graph`);
  }
  proto.type = attributeType[attribute.kind];
  return proto;
}

export function tensorToProto(name: string, { dtype, dims, bytes }: TensorData): TensorProto {
  return create(TensorProtoSchema, {
    name,
    dims: dims.map(BigInt),
    dataType: dataTypeNumber[dtype],
    rawData: bytes,
  });
}
