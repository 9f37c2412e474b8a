import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fromBinary } from '@bufbuild/protobuf';
import { ModelProtoSchema } from '../../../src/onnx/generated/onnx_pb.ts';
import type { Target } from '../target.ts';
import { train } from './native.ts';
import { mutations } from './onnx.ts';

const fixtures = join(import.meta.dirname, '../../fixtures/tiny-bert');

/** A whole BERT, as two exporters write it; trained for a step as in `native`. */
export const bert: Target = {
  name: 'bert',
  cases: 200,
  async load() {
    const seeds = await Promise.all(
      ['model.onnx', 'model-dynamo.onnx'].map(async (name) => ({
        model: fromBinary(ModelProtoSchema, await readFile(join(fixtures, name))),
        files: {},
      })),
    );
    return mutations(seeds);
  },
  run: train,
};
