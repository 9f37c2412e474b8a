import { Builder } from 'flatbuffers';
import type { Parameter } from '../engine.ts';

/**
 * A checkpoint of the runtime's training API that names the parameters and leaves their values to be given later. The
 * format is a FlatBuffer, schema orttraining/training_api/checkpoint.fbs of ONNX Runtime, of version 2.
 */
export function nominalCheckpoint(trained: readonly Parameter[], frozen: readonly Parameter[]): Uint8Array {
  const builder = new Builder();
  const requiresGrad = offsets(
    builder,
    trained.map(({ name }) => nominalTensor(builder, name)),
  );
  const others = offsets(
    builder,
    frozen.map(({ name }) => nominalTensor(builder, name)),
  );
  const moduleState = table(builder, 4, () => {
    builder.addFieldOffset(MODULE_STATE.requiresGradParams, requiresGrad, 0);
    builder.addFieldOffset(MODULE_STATE.frozenParams, others, 0);
    builder.addFieldInt8(MODULE_STATE.isNominal, 1, 0);
  });
  const checkpoint = table(builder, 4, () => {
    builder.addFieldInt32(CHECKPOINT.version, VERSION, 0);
    builder.addFieldOffset(CHECKPOINT.moduleState, moduleState, 0);
  });
  builder.finish(checkpoint, FILE_IDENTIFIER);
  return builder.asUint8Array();
}

/** A tensor without elements. */
function nominalTensor(builder: Builder, name: string): number {
  const label = builder.createString(name);
  const dims = offsets(builder, []);
  const elements = offsets(builder, []);
  return table(builder, 7, () => {
    builder.addFieldOffset(TENSOR.name, label, 0);
    builder.addFieldOffset(TENSOR.dims, dims, 0);
    builder.addFieldInt32(TENSOR.dataType, FLOAT, 0);
    builder.addFieldOffset(TENSOR.rawData, elements, 0);
  });
}

function table(builder: Builder, fields: number, fill: () => void): number {
  builder.startObject(fields);
  fill();
  return builder.endObject();
}

function offsets(builder: Builder, values: readonly number[]): number {
  builder.startVector(4, values.length, 4);
  for (const value of [...values].reverse()) builder.addOffset(value);
  return builder.endVector();
}

const FILE_IDENTIFIER = 'ODTC';
const VERSION = 2;
/** TensorProto.DataType. */
const FLOAT = 1;

// Fields by their place in the schema's tables.
const CHECKPOINT = { version: 0, moduleState: 1 };
const MODULE_STATE = { requiresGradParams: 0, frozenParams: 1, isNominal: 2 };
const TENSOR = { name: 0, dims: 2, dataType: 3, rawData: 4 };
