import { toBinary } from '@bufbuild/protobuf';
import { SesdError } from '../../../src/errors.ts';
import { ModelProtoSchema } from '../../../src/onnx/generated/onnx_pb.ts';
import { inspectModel } from '../../../src/train/open-model.ts';
import type { Case } from '../case.ts';
import { mutateBytes } from '../mutate/bytes.ts';
import { mutateMessage } from '../mutate/protobuf.ts';
import type { Random } from '../random.ts';
import type { Target } from '../target.ts';
import { type OnnxSeed, onnxSeeds, onnxWords } from './onnx-seeds.ts';

/** What external data may be beside a file. */
const links = {
  'link.bin': '../canary/secret.bin',
  'folder-link': '../canary',
  'loop.bin': 'loop.bin',
  'zero.bin': '/dev/zero',
};

/** Small models, read, imported and prepared for training. */
export const onnx: Target = {
  name: 'onnx',
  cases: 5000,
  load: async () => mutations(onnxSeeds()),
  run: inspect,
};

/** Makes cases of these models. */
export function mutations(seeds: readonly OnnxSeed[]): (random: Random) => Case {
  const words = onnxWords(seeds);
  return (random) => mutateModel(random, random.pick(seeds), words);
}

/** A model with some of its parts changed, its bytes too in one of four, and links beside it. */
function mutateModel(random: Random, seed: OnnxSeed, words: readonly string[]): Case {
  const model = random.once(8)
    ? seed.model
    : mutateMessage(random, ModelProtoSchema, seed.model, [...words, ...Object.keys(links)]);
  let bytes: Uint8Array = toBinary(ModelProtoSchema, model);
  if (model === seed.model || random.once(8)) bytes = mutateBytes(random, bytes);
  const files = Object.entries(seed.files).map(([name, content]) => [
    name,
    random.once(4) ? mutateBytes(random, content) : content,
  ]);
  return { files: { 'model.onnx': bytes, ...Object.fromEntries(files) }, links };
}

export async function inspect(folder: string): Promise<void> {
  const { refusal } = await inspectModel(folder, {
    classes: 3,
    head: 'auto',
    dropout: 0.1,
    fuse: true,
    seed: 1,
  });
  if (refusal) throw new SesdError(refusal.code, refusal.message);
}
