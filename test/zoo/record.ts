import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface StoredArray {
  dims: number[];
  data: number[];
}

export interface StoredGradient extends StoredArray {
  /** PyTorch's name. */
  parameter: string;
  /** Whether the initializer, and so the gradient here, is the parameter's transpose. */
  transposed: boolean;
}

/** Gradients by initializer; a list where several parameters have its value, which exporters then store once. */
export type StoredGradients = Record<string, StoredGradient | StoredGradient[]>;

/** PyTorch's logits for a linear classifier and the gradients of sum(logits · R). */
export interface HeadRecord {
  /** Of the classifier, where the file has none: [classes, hidden] and [classes]. */
  weight?: StoredArray;
  bias?: StoredArray;
  logits: StoredArray;
  R: number[];
  gradients: StoredGradients;
  /** Of parameters no initializer holds, by PyTorch's name. */
  unmatched: Record<string, StoredArray>;
}

/** What export.py writes beside a model. */
export interface ZooRecord {
  variant: string;
  path: string;
  inputs: Record<
    'input_ids' | 'attention_mask' | 'token_type_ids' | 'position_ids',
    (StoredArray & { name: string }) | undefined
  >;
  layers: number;
  route: {
    exporter: string;
    /** What was done to the exported file, by name in converters.py. */
    convert: string[];
    /** The 16-bit type the file has its weights in, which they were rounded to before. */
    rounded: 'float16' | 'bfloat16' | null;
  };
  /** By `--head`; a file with a classifier has `auto` alone. */
  heads: Record<string, HeadRecord>;
  opset: number;
  /** How many of each pattern the training graph must have fused; null where converters decide. */
  patterns: Record<string, number> | null;
  /** The longest sequence the positions serve; null where there are none, or the file has a length of its own. */
  longest: number | null;
  /** Of classifiers: PyTorch's logits in training when every dropout multiplies by `factor`, and how many there are. */
  dropout: (StoredArray & { factor: number; sites: number }) | null;
}

interface File extends Omit<ZooRecord, 'path'> {
  outputs: (StoredArray & { kind: string; R: number[] })[];
  gradients: StoredGradients;
  unmatched: Record<string, StoredArray>;
}

/** Every variant in a folder export.py wrote, by name. */
export function readZoo(folder: string): ZooRecord[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.json'))
    .sort()
    .map((file) => readRecord(folder, file));
}

function readRecord(folder: string, file: string): ZooRecord {
  const path = join(folder, file.replace(/json$/, 'onnx'));
  const { outputs, gradients, unmatched, ...record }: File = JSON.parse(
    readFileSync(join(folder, file), 'utf8'),
  );
  const logits = outputs.find(({ kind }) => kind === 'logits');
  if (!logits) return { ...record, path };
  return { ...record, path, heads: { auto: { logits, R: logits.R, gradients, unmatched } } };
}
