import type { Target } from '../target.ts';
import { bert } from './bert.ts';
import { checkpoint } from './checkpoint.ts';
import { native } from './native.ts';
import { onnx } from './onnx.ts';
import { classWeights, config, options } from './settings.ts';
import { csv, jsonl, parquet, tsv } from './tables.ts';
import { tokenizer } from './tokenizer.ts';

export const targets: readonly Target[] = [
  ...[onnx, bert, native],
  ...[csv, tsv, jsonl, parquet],
  ...[tokenizer, config, options, classWeights, checkpoint],
];
