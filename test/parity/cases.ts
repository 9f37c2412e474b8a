/** A run that both the command line and the reference make. */
export interface ParityCase {
  name: string;
  model?: 'torchscript' | 'dynamo' | 'fresh' | 'regression';
  data?: 'train' | 'pairs';
  /** For both sides. */
  flags: string[];
  /** For the command line only. */
  own?: string[];
  /** For the reference only. */
  reference?: string[];
  /** Made with the backend ort-training too. */
  training?: true;
  /** And with its steps in one call. */
  wholeStep?: true;
}

/** Flags of every case. 100 examples in batches of 8 leave the last batch of an epoch short. */
export const common = [
  ...['--dropout', '0', '--no-shuffle', '--max-steps', '40', '--batch-size', '8', '--max-length', '40'],
  ...['--lr', '5e-4', '--head-lr', '1e-3', '--threads', '1'],
];

const classWeights = '{"animal": 0.5, "food": 2, "plant": 1.25}';

/** Flags by which both sides drop the same. */
const sameMasks = { own: ['--no-fuse'], reference: ['--command-line-masks'] };

/** Every method that trains, every option that changes what is learned, and the models and data they meet. */
export const cases: ParityCase[] = [
  { name: 'finetune', training: true, wholeStep: true, flags: ['--strategy', 'finetune'] },
  { name: 'sda, window 1', flags: ['--strategy', 'sda', '--window', '1'] },
  { name: 'sda, window 3', flags: ['--strategy', 'sda', '--window', '3'] },
  {
    name: 'sda, window all',
    training: true,
    wholeStep: true,
    flags: ['--strategy', 'sda', '--window', 'all'],
  },
  {
    name: 'sda, window 3 with the student in the pool, lambda 2.5',
    flags: ['--strategy', 'sda', '--window', '3', '--pool-includes-student', '--lambda', '2.5'],
  },
  { name: 'sdv, window 1', flags: ['--strategy', 'sdv', '--window', '1'] },
  { name: 'sdv, window 3', flags: ['--strategy', 'sdv', '--window', '3'] },
  { name: 'sdv, its own window, batches gathered', flags: ['--strategy', 'sdv', '--accumulate', '2'] },
  { name: 'ema', flags: ['--strategy', 'ema'] },
  {
    name: 'ema from a tenth of the run on, quick decay, batches gathered',
    flags: ['--strategy', 'ema', '--ema-decay', '0.6', '--teacher-start', '0.1', '--accumulate', '2'],
  },
  { name: 'se', flags: ['--strategy', 'se'] },
  {
    name: 'se over every third of the newest students of the second half',
    flags: ['--strategy', 'se', '--teacher-start', '0.5', '--pool-every', '3', '--window', '4'],
  },
  { name: 'sda and the average of se', flags: ['--strategy', 'sda', '--average', 'se'] },
  {
    name: 'three batches gathered, tight clipping',
    training: true,
    wholeStep: true,
    flags: ['--strategy', 'sda', '--window', '2', '--accumulate', '3', '--max-grad-norm', '0.3'],
  },
  {
    name: 'one rate and decay for all, batches gathered, no clipping',
    training: true,
    wholeStep: true,
    flags: [
      ...['--strategy', 'ema', '--lr', '1e-3', '--weight-decay', '0', '--max-grad-norm', 'none'],
      ...['--ema-decay', '0.9', '--accumulate', '2'],
    ],
  },

  {
    name: 'a teacher, with dropout',
    flags: ['--strategy', 'sda', '--dropout', '0.1', '--accumulate', '2'],
    ...sameMasks,
  },
  { name: 'r-drop', training: true, flags: ['--strategy', 'r-drop', '--dropout', '0.1'], ...sameMasks },
  {
    name: 'r-drop later in the run whose weight grows, at a temperature, batches gathered, and the average of se',
    flags: [
      ...['--strategy', 'r-drop', '--dropout', '0.2', '--accumulate', '2', '--temperature', '1.5'],
      ...['--lambda', '2.5', '--teacher-start', '0.2', '--lambda-ramp', '0.4', '--average', 'se'],
    ],
    ...sameMasks,
  },
  {
    name: 'r-drop of a regression',
    model: 'regression',
    flags: ['--strategy', 'r-drop', '--dropout', '0.1', '--distance', 'mse'],
    own: [...sameMasks.own, '--problem-type', 'regression'],
    reference: sameMasks.reference,
  },

  { name: 'a teacher from step 11 on', flags: ['--strategy', 'sda', '--teacher-start', '11'] },
  {
    name: 'a later teacher whose weight grows',
    flags: ['--strategy', 'sda', '--window', '3', '--teacher-start', '0.2', '--lambda-ramp', '0.4'],
  },
  {
    name: 'a pool of every second student',
    flags: ['--strategy', 'sda', '--window', '3', '--pool-every', '2'],
  },
  {
    name: 'a pool of every second student, the current one with them',
    flags: ['--strategy', 'sdv', '--window', '2', '--pool-every', '2', '--pool-includes-student'],
  },
  {
    name: 'students spaced in age',
    flags: ['--strategy', 'sda', '--window', '3', '--pool-size', '8', '--pool-select', 'spaced'],
  },
  {
    name: 'the best students on dev',
    flags: ['--strategy', 'sda', '--window', '2', '--pool-size', '6', '--pool-select', 'best'],
  },

  {
    name: 'the divergence of the teacher, at a temperature',
    flags: ['--strategy', 'sda', '--distance', 'kl', '--temperature', '2.5'],
  },
  {
    name: 'the symmetric divergence, at a temperature, batches gathered',
    flags: ['--strategy', 'sda', '--distance', 'symmetric-kl', '--temperature', '0.5', '--accumulate', '2'],
  },
  { name: 'the angle between logits', flags: ['--strategy', 'sda', '--distance', 'cosine'] },
  {
    name: 'smoothed labels and weighted classes, batches gathered',
    flags: [
      ...['--strategy', 'sda', '--label-smoothing', '0.15', '--class-weights', classWeights],
      ...['--accumulate', '2'],
    ],
  },
  {
    name: 'balanced classes',
    flags: ['--strategy', 'finetune', '--class-weights', 'balanced'],
  },

  {
    name: 'embeddings and the lowest layer frozen, batches gathered',
    flags: ['--strategy', 'sda', '--freeze', 'embeddings|layer\\.0\\.', '--accumulate', '2'],
  },
  {
    name: 'lower rates for lower layers',
    flags: ['--strategy', 'sda', '--window', '3', '--layer-lr-decay', '0.6', '--weight-decay', '0.1'],
  },
  {
    name: 'lower rates for lower layers around a frozen one, of a dynamo export',
    training: true,
    model: 'dynamo',
    flags: ['--strategy', 'ema', '--layer-lr-decay', '0.6', '--freeze', 'layer\\.1\\.|pooler'],
  },

  { name: 'text pairs, truncated', data: 'pairs', flags: ['--strategy', 'sda', '--window', '1'] },
  {
    name: 'stock operators',
    training: true,
    flags: ['--strategy', 'sda', '--window', '1'],
    own: ['--no-fuse'],
  },
  { name: 'a dynamo export', model: 'dynamo', flags: ['--strategy', 'sda', '--window', 'all'] },
  {
    name: 'an untrained model, whose equal weights the exporter merged',
    model: 'fresh',
    flags: ['--strategy', 'sda', '--window', '1'],
  },
  {
    name: 'a regression, batches gathered',
    model: 'regression',
    flags: ['--strategy', 'sda', '--accumulate', '2'],
    own: ['--problem-type', 'regression'],
  },
];
