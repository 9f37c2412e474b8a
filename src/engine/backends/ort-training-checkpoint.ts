import { Builder, ByteBuffer } from 'flatbuffers';
import { SesdError } from '../../errors.ts';
import type { NamedArray, Parameter } from '../engine.ts';

type Arrays = ReadonlyMap<string, Float32Array>;

/** What training goes on from: by name, and the updates that led there. */
export interface TrainingValues {
  /** Of trained and frozen parameters. */
  weights: Arrays;
  /** AdamW's moments. */
  m: Arrays;
  v: Arrays;
  step: number;
}

/**
 * A checkpoint of the runtime's training API. Without values it only names the parameters ("nominal"), and they are given
 * later. The format is a FlatBuffer, schema onnxruntime/core/flatbuffers/schema/ort_training_checkpoint.fbs of ONNX
 * Runtime, version 2.
 */
export function trainingCheckpoint(
  { parameters, frozen }: { parameters: readonly Parameter[]; frozen: readonly Parameter[] },
  values?: TrainingValues,
): Uint8Array {
  // A buffer that has to grow is copied, and doubles.
  const builder = new Builder(values ? checkpointBytes(parameters, frozen) : 2 ** 16);
  const tensors = (list: readonly Parameter[]) =>
    offsets(
      builder,
      list.map(({ name, dims }) =>
        values
          ? tensor(builder, name, dims, values.weights.get(name)!)
          : tensor(builder, name, [], new Float32Array()),
      ),
    );
  const requiresGrad = tensors(parameters);
  const others = tensors(frozen);
  const moduleState = table(builder, MODULE_STATE, (fields) => {
    builder.addFieldOffset(fields.requiresGradParams, requiresGrad, 0);
    builder.addFieldOffset(fields.frozenParams, others, 0);
    builder.addFieldInt8(fields.isNominal, values ? 0 : 1, 0);
  });
  const groups = values && offsets(builder, [optimizerGroup(builder, parameters, values)]);
  const checkpoint = table(builder, CHECKPOINT, (fields) => {
    builder.addFieldInt32(fields.version, VERSION, 0);
    builder.addFieldOffset(fields.moduleState, moduleState, 0);
    if (groups !== undefined) builder.addFieldOffset(fields.optimizerGroups, groups, 0);
  });
  builder.finish(checkpoint, FILE_IDENTIFIER);
  return builder.asUint8Array();
}

/** What a checkpoint with values takes at most. */
export function checkpointBytes(parameters: readonly Parameter[], frozen: readonly Parameter[]): number {
  const overhead = 256; // of a tensor, without a long name
  const bytes = ({ name, size }: Parameter) => 4 * size + 2 * name.length + overhead;
  const sum = (list: readonly Parameter[]) => list.reduce((total, each) => total + bytes(each), 0);
  return 2 ** 16 + 3 * sum(parameters) + sum(frozen);
}

function optimizerGroup(
  builder: Builder,
  parameters: readonly Parameter[],
  { step, m, v }: TrainingValues,
): number {
  const states = parameters.map(({ name, dims }) => {
    const momentums = offsets(builder, [
      tensor(builder, MOMENTS.m, dims, m.get(name)!),
      tensor(builder, MOMENTS.v, dims, v.get(name)!),
    ]);
    const label = builder.createString(name);
    return table(builder, PARAMETER_STATE, (fields) => {
      builder.addFieldOffset(fields.paramName, label, 0);
      builder.addFieldOffset(fields.momentums, momentums, 0);
    });
  });
  const all = offsets(builder, states);
  const name = builder.createString(GROUP);
  return table(builder, OPTIMIZER_GROUP, (fields) => {
    builder.addFieldOffset(fields.groupName, name, 0);
    builder.addFieldInt64(fields.step, BigInt(step), 0n);
    builder.addFieldOffset(fields.optimizerStates, all, 0);
  });
}

function tensor(builder: Builder, name: string, dims: readonly number[], data: Float32Array): number {
  const elements = builder.createByteVector(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  builder.startVector(8, dims.length, 8);
  for (const dim of [...dims].reverse()) builder.addInt64(BigInt(dim));
  const shape = builder.endVector();
  const label = builder.createString(name);
  return table(builder, TENSOR, (fields) => {
    builder.addFieldOffset(fields.name, label, 0);
    builder.addFieldOffset(fields.dims, shape, 0);
    builder.addFieldInt32(fields.dataType, FLOAT, 0);
    builder.addFieldOffset(fields.rawData, elements, 0);
  });
}

function table<F extends Record<string, number>>(
  builder: Builder,
  fields: F,
  fill: (fields: F) => void,
): number {
  builder.startObject(Math.max(...Object.values(fields)) + 1);
  fill(fields);
  return builder.endObject();
}

function offsets(builder: Builder, values: readonly number[]): number {
  builder.startVector(4, values.length, 4);
  for (const value of [...values].reverse()) builder.addOffset(value);
  return builder.endVector();
}

/**
 * AdamW's moments in a checkpoint the runtime wrote, in the order of the parameters.
 * @throws SesdError SESD_RUNTIME when it is not as expected
 */
export function* momentsIn(
  file: Uint8Array,
  which: keyof typeof MOMENTS,
  parameters: readonly Parameter[],
): Generator<NamedArray> {
  // Of a Buffer, slice() would not copy.
  const buffer = new ByteBuffer(new Uint8Array(file.buffer, file.byteOffset, file.byteLength));
  const view = (position: number, fields: Record<string, number>) => new Table(buffer, position, fields);
  const root = view(buffer.readInt32(0), CHECKPOINT);
  const found = new Map<string, Float32Array>();
  for (const group of root.tables('optimizerGroups', OPTIMIZER_GROUP)) {
    for (const state of group.tables('optimizerStates', PARAMETER_STATE)) {
      for (const moment of state.tables('momentums', TENSOR)) {
        if (moment.text('name') === MOMENTS[which])
          found.set(state.text('paramName'), moment.floats('rawData'));
      }
    }
  }
  for (const { name, size } of parameters) {
    const data = found.get(name);
    if (data?.length !== size) {
      throw new SesdError(
        'SESD_RUNTIME',
        `ONNX Runtime's checkpoint: expected ${size} elements for ${MOMENTS[which]} of ${name}, found ${data?.length ?? 'none'}.`,
      );
    }
    yield { name, data };
  }
}

/** A table of a FlatBuffer, its fields by name. */
class Table {
  readonly #buffer: ByteBuffer;
  readonly #position: number;
  readonly #fields: Record<string, number>;

  constructor(buffer: ByteBuffer, position: number, fields: Record<string, number>) {
    this.#buffer = buffer;
    this.#position = position;
    this.#fields = fields;
  }

  text(field: string): string {
    const at = this.#at(field);
    return at === undefined ? '' : (this.#buffer.__string(at) as string);
  }

  tables(field: string, fields: Record<string, number>): Table[] {
    const at = this.#at(field);
    if (at === undefined) return [];
    const start = this.#buffer.__vector(at);
    return Array.from({ length: this.#buffer.__vector_len(at) }, (_, i) => {
      return new Table(this.#buffer, this.#buffer.__indirect(start + 4 * i), fields);
    });
  }

  /** A vector of bytes that are float32 elements. */
  floats(field: string): Float32Array {
    const at = this.#at(field);
    if (at === undefined) return new Float32Array();
    const start = this.#buffer.__vector(at);
    return new Float32Array(this.#buffer.bytes().slice(start, start + this.#buffer.__vector_len(at)).buffer);
  }

  #at(field: string): number | undefined {
    const offset = this.#buffer.__offset(this.#position, 4 + 2 * this.#fields[field]!);
    return offset === 0 ? undefined : this.#position + offset;
  }
}

const FILE_IDENTIFIER = 'ODTC';
const VERSION = 2;
/** TensorProto.DataType. */
const FLOAT = 1;
/** The one group of parameters the API has. */
const GROUP = 'group0';
const MOMENTS = { m: 'momentum0', v: 'momentum1' } as const;

// Fields by their place in the schema's tables.
const CHECKPOINT = { version: 0, moduleState: 1, optimizerGroups: 2 };
const MODULE_STATE = { requiresGradParams: 0, frozenParams: 1, isNominal: 2 };
const OPTIMIZER_GROUP = { groupName: 0, step: 1, initialLearningRate: 2, optimizerStates: 3 };
const PARAMETER_STATE = { paramName: 0, momentums: 1 };
const TENSOR = { name: 0, dims: 2, dataType: 3, rawData: 4 };
