import { z } from 'zod';
import { optionalClassWeights } from './class-weights.ts';
import {
  boolean,
  choice,
  describeFields,
  integer,
  integerOr,
  number,
  numberOr,
  optionalChoice,
  optionalInteger,
  optionalPathOrFraction,
  optionalPattern,
  optionalText,
  stepOrFraction,
} from './fields.ts';

const model = 'Model';
const data = 'Data';
export const method = 'Method';
const training = 'Training';
const evaluation = 'Evaluation and checkpoints';
const output = 'Output';
const machine = 'Machine';

/** Every option of a training run: flag, YAML key and API name, type, default and help in one place. */
export const trainSchema = z.strictObject({
  onnx: optionalText({
    group: model,
    valueName: 'FILE|DIR',
    path: true,
    description: 'BERT to train: an ONNX file, or a folder with model.onnx (default: the embedded model)',
  }),
  tokenizer: optionalText({
    group: model,
    valueName: 'FILE|DIR',
    path: true,
    description: 'tokenizer.json or vocab.txt (default: beside the model)',
  }),
  head: choice(
    ['auto', 'pooler', 'cls', 'mean'],
    { default: 'auto' },
    { group: model, description: 'Classifier to attach when the model has none' },
  ),

  train: optionalText({
    group: data,
    valueName: 'FILE',
    path: true,
    description: 'Training examples: .csv, .tsv, .jsonl or .parquet (default: the sample task)',
  }),
  dev: optionalPathOrFraction({
    group: data,
    description: 'Examples to choose the best weights by, or the fraction of --train to set aside',
  }),
  trainLimit: optionalInteger(
    { min: 1 },
    { group: data, description: 'Examples to train on: so many are drawn, every label in its share' },
  ),
  test: optionalText({
    group: data,
    valueName: 'FILE',
    path: true,
    description: 'Examples to report on at the end',
  }),
  task: optionalChoice(
    [
      ...(['imdb', 'ag-news', 'dbpedia', 'yelp-polarity', 'yelp-full', 'snli', 'mnli'] as const),
      ...(['cola', 'sst2', 'mrpc', 'qqp', 'stsb', 'qnli', 'rte', 'wnli'] as const),
    ],
    {
      group: data,
      valueName: 'NAME',
      description: 'Published dataset to train on, in --data, with its settings',
    },
  ),
  data: optionalText({
    group: data,
    valueName: 'DIR',
    path: true,
    description: "Folder of the dataset's files as they are published",
  }),
  text: optionalText({
    group: data,
    valueName: 'COLUMN',
    description: 'Column of the text (default: by header, else by position)',
  }),
  textPair: optionalText({
    group: data,
    valueName: 'COLUMN',
    description: 'Column of the second text, for pairs',
  }),
  label: optionalText({
    group: data,
    valueName: 'COLUMN',
    description: 'Column of the label (default: by header, else by position)',
  }),
  problemType: choice(
    ['classification', 'regression'],
    { default: 'classification' },
    { group: data, description: 'What labels are: classification (names), or regression (numbers)' },
  ),
  maxLength: integer(
    { min: 3, default: 128 },
    { group: data, description: 'Longest input in tokens, special tokens included' },
  ),
  truncate: choice(
    ['head', 'tail', 'head-tail'],
    { default: 'head' },
    { group: data, description: 'Part of a longer text that is kept' },
  ),

  strategy: choice(
    ['finetune', 'sda', 'sdv', 'se', 'ema', 'r-drop', 'avg', 'vote'],
    { default: 'sda' },
    {
      group: method,
      description:
        'finetune; self-distillation from past students by their mean weights (sda), their votes (sdv) or a moving ' +
        'average (ema); r-drop: two passes that are to agree; se: the mean weights of a plain run; avg, vote: several ' +
        'plain runs made into one model',
    },
  ),
  runs: integer(
    { min: 2, max: 1000, default: 4 },
    { group: method, description: 'Runs that avg and vote make one model of' },
  ),
  window: integerOr(
    ['all'],
    { min: 1, default: 'all' },
    { group: method, description: 'Past students the teacher averages; 5 for sdv unless said otherwise' },
  ),
  lambda: number({ min: 0, default: 1 }, { group: method, description: 'Weight of the distillation term' }),
  lambdaRamp: number(
    { min: 0, max: 1, default: 0 },
    { group: method, description: 'Fraction of the updates over which that weight rises from 0' },
  ),
  distance: optionalChoice(['mse', 'kl', 'symmetric-kl', 'cosine'], {
    group: method,
    description:
      'Distance between the logits of student and teacher; mse, but symmetric-kl for r-drop, and kl in a run of at most 150 updates where none of these flags is given',
  }),
  temperature: number(
    { above: 0, default: 1 },
    { group: method, description: 'What logits are divided by in the distances kl and symmetric-kl' },
  ),
  teacherStart: stepOrFraction(
    { default: 1 },
    { group: method, description: 'First update with a teacher, or the fraction of the updates before it' },
  ),
  emaDecay: number(
    { min: 0, below: 1, default: 0.995 },
    { group: method, description: 'Decay of the moving average of ema' },
  ),
  average: choice(
    ['auto', 'teacher', 'se', 'none'],
    { default: 'auto' },
    {
      group: method,
      description: 'Averaged weights to evaluate beside the student: the teacher, those of se, or none',
    },
  ),
  poolEvery: integer(
    { min: 1, default: 1 },
    { group: method, description: 'Updates between the students the pool takes in' },
  ),
  poolSize: optionalInteger(
    { min: 1 },
    { group: method, description: 'Students the pool holds, the newest (default: as many as --window)' },
  ),
  poolSelect: choice(
    ['recent', 'best', 'spaced'],
    { default: 'recent' },
    { group: method, description: 'Which of them the teacher averages; best: by their loss on dev' },
  ),
  poolStorage: choice(
    ['memory', 'bf16', 'disk'],
    { default: 'memory' },
    { group: method, description: 'Where they are kept; bf16 takes half the memory, at 3 digits' },
  ),
  poolIncludesStudent: boolean(
    { default: false },
    { group: method, description: 'Count the current student among the past ones' },
  ),

  classWeights: optionalClassWeights({
    group: training,
    description: 'Weights of the examples by label, or balanced: inverse to how often the label occurs',
  }),
  labelSmoothing: number(
    { min: 0, below: 1, default: 0 },
    { group: training, description: 'Share of the target that is spread over all labels' },
  ),
  epochs: integer({ min: 1, default: 3 }, { group: training, description: 'Passes over the training data' }),
  maxSteps: optionalInteger(
    { min: 1 },
    { group: training, description: 'Optimizer updates, in place of --epochs' },
  ),
  batchSize: integer({ min: 1, default: 32 }, { group: training, description: 'Examples per forward pass' }),
  accumulate: integer(
    { min: 1, default: 1 },
    { group: training, description: 'Batches gathered for one optimizer update' },
  ),
  lr: number({ min: 0, default: 2e-5 }, { group: training, description: 'Peak learning rate of the body' }),
  headLr: number(
    { min: 0, default: 1e-3 },
    { group: training, description: 'Peak learning rate of the classifier' },
  ),
  layerLrDecay: number(
    { above: 0, max: 1, default: 1 },
    {
      group: training,
      description: "What a layer's learning rate is times that of the layer above it; the top one has --lr",
    },
  ),
  freeze: optionalPattern({
    group: training,
    description:
      'Weights that are not trained, by name in the file or by place: ^embeddings, ^layer\\.[0-5]\\., ^pooler',
  }),
  reinitTop: integer(
    { min: 0, default: 0 },
    {
      group: training,
      description: 'Layers from the top that begin with new weights, and the pooler with them',
    },
  ),
  weightDecay: number(
    { min: 0, default: 0.01 },
    { group: training, description: 'Decoupled weight decay; none on biases and LayerNorm' },
  ),
  warmup: number(
    { min: 0, max: 1, default: 0.1 },
    { group: training, description: 'Fraction of the updates over which the learning rate rises' },
  ),
  maxGradNorm: numberOr(
    ['none'],
    { above: 0, default: 1 },
    { group: training, description: 'Global L2 norm gradients are clipped to; none: not clipped' },
  ),
  dropout: number({ min: 0, below: 1, default: 0.1 }, { group: training, description: 'Dropout rate' }),
  seed: integer(
    { min: 0, max: 0xffff_ffff, default: 42 },
    { group: training, description: 'Seed of the order, the dropout and new weights' },
  ),
  shuffle: boolean(
    { default: true },
    { group: training, description: 'A new order of the examples each epoch' },
  ),

  evalEvery: integerOr(
    ['epoch'],
    { min: 1, default: 'epoch' },
    { group: evaluation, description: 'Updates between evaluations on dev' },
  ),
  saveEvery: integerOr(
    ['epoch', 'never'],
    { min: 1, default: 'epoch' },
    { group: evaluation, resumable: true, description: 'Updates between checkpoints' },
  ),
  keep: integer(
    { min: 1, default: 2 },
    { group: evaluation, resumable: true, description: 'Newest checkpoints that are kept' },
  ),
  metric: choice(
    [
      ...(['accuracy', 'macro-f1', 'micro-f1', 'weighted-f1', 'f1', 'mcc', 'ece', 'loss'] as const),
      ...(['pearson', 'spearman', 'mse', 'rmse', 'mae'] as const),
    ],
    { default: 'accuracy' },
    { group: evaluation, description: 'What the best weights are chosen by on dev; of a regression pearson' },
  ),
  patience: optionalInteger(
    { min: 1 },
    { group: evaluation, description: 'Stop after this many evaluations without a better one' },
  ),

  output: optionalText({
    group: output,
    valueName: 'DIR',
    path: true,
    transient: true,
    description: 'Folder of the run (default: runs/<time>)',
  }),
  resume: optionalText({
    group: output,
    valueName: 'DIR',
    path: true,
    transient: true,
    description: 'Folder of an interrupted run to go on with',
  }),
  force: boolean(
    { default: false },
    { group: output, transient: true, description: 'Replace the run that --output holds' },
  ),
  export: choice(
    ['student', 'teacher', 'best'],
    { default: 'best' },
    { group: output, description: 'Weights to restore and write: the better of the two, or one of them' },
  ),
  exportDtype: choice(
    ['source', 'float32', 'float16'],
    { default: 'source' },
    {
      group: output,
      resumable: true,
      description:
        'Float types of model.onnx: those of the source, float32 throughout, or float32 with the weights stored as float16',
    },
  ),
  config: optionalText({
    group: output,
    valueName: 'FILE',
    path: true,
    transient: true,
    description: 'YAML file of these options; flags go before it',
  }),
  quiet: boolean(
    { default: false },
    { group: output, transient: true, description: 'Errors and results only' },
  ),
  json: boolean(
    { default: false },
    { group: output, transient: true, description: 'Events as JSON lines on standard output' },
  ),

  device: choice(
    ['auto', 'cpu', 'cuda'],
    { default: 'auto' },
    { group: machine, resumable: true, description: 'Where to compute' },
  ),
  threads: optionalInteger(
    { min: 1, max: 1024 },
    { group: machine, resumable: true, description: 'Threads to compute with (default: one per core)' },
  ),
  runtime: optionalText({
    group: machine,
    valueName: 'LIB',
    path: true,
    resumable: true,
    description: 'ONNX Runtime library to load (default: the one of onnxruntime-node)',
  }),
  backend: choice(
    ['onnx-runtime', 'ort-training'],
    { default: 'onnx-runtime' },
    {
      group: machine,
      resumable: true,
      description:
        "What computes the training steps; ort-training: ONNX Runtime's training API, with a --runtime that has it",
    },
  ),
  wholeStep: boolean(
    { default: false },
    {
      group: machine,
      resumable: true,
      description:
        'With ort-training: teacher, gradient of the loss and backward pass in one call (sda, ema, finetune, se)',
    },
  ),
  precision: choice(
    ['fp32', 'bf16', 'fp16', 'auto'],
    { default: 'fp32' },
    {
      group: machine,
      description:
        'Number format of the matrix products, all else is float32; bf16: 3 digits; fp16, on a GPU: 4; auto: bf16 where the CPU has it',
    },
  ),
  fuse: boolean(
    { default: true },
    { group: machine, description: 'Fused kernels; --no-fuse: stock operators only' },
  ),
});

/** A resolved run: every default filled in. */
export type TrainOptions = z.output<typeof trainSchema>;

/** What a caller passes: any part of the options; numbers may be text. */
export type TrainOptionsInput = { [K in keyof TrainOptions]?: TrainOptions[K] | undefined };

/** All options of training in the order of the help. */
export const trainFields = describeFields(trainSchema);
