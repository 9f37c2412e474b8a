import { create } from '@bufbuild/protobuf';
import { float32Tensor, int64Tensor } from '../../../src/graph/builder.ts';
import {
  AttributeProtoSchema,
  FunctionProtoSchema,
  type GraphProto,
  type ModelProto,
  type NodeProto,
  StringStringEntryProtoSchema,
  type TensorProto,
} from '../../../src/onnx/generated/onnx_pb.ts';
import { buildModel, float, int64, type ModelInit, node } from '../../onnx/build-model.ts';

/** A model and the files beside it. */
export interface OnnxSeed {
  model: ModelProto;
  files: Record<string, Uint8Array>;
}

const HIDDEN = 4;
const VOCABULARY = 11;

const numbers = (count: number) => Array.from({ length: count }, (_, i) => ((i * 7) % 11) / 10 - 0.5);
const weights = (...dims: number[]) => float32Tensor(numbers(dims.reduce((a, b) => a * b, 1)), dims);
const vector = (...values: number[]) => int64Tensor(values);
const scalar = (value: number) => int64Tensor([value], []);

const inputs = { input_ids: int64('batch', 'sequence'), attention_mask: int64('batch', 'sequence') };

/** Token states of embedded ids, with what comes in between. */
function encoder(between: NodeProto[], more: Partial<ModelInit> = {}, states = 'embedded'): ModelProto {
  return buildModel({
    inputs,
    outputs: { last_hidden_state: float('batch', 'sequence', HIDDEN) },
    nodes: [
      node('Gather', ['table', 'input_ids'], ['embedded']),
      ...between,
      node('MatMul', [states, 'w'], ['product']),
      node('Add', ['product', 'b'], ['biased']),
      node('LayerNormalization', ['biased', 'scale', 'shift'], ['last_hidden_state'], {
        axis: -1,
        epsilon: { float: 1e-5 },
      }),
    ],
    ...more,
    initializers: {
      table: weights(VOCABULARY, HIDDEN),
      w: weights(HIDDEN, HIDDEN),
      b: weights(HIDDEN),
      scale: weights(HIDDEN),
      shift: weights(HIDDEN),
      ...more.initializers,
    },
  });
}

/** Attention over one head, masked, with the shapes computed as exporters do. */
const attention: NodeProto[] = [
  node('Shape', ['input_ids'], ['shape']),
  node('Gather', ['shape', 'zero'], ['rows']),
  node('Gather', ['shape', 'one'], ['length']),
  node('Unsqueeze', ['rows', 'axes0'], ['rows1']),
  node('Unsqueeze', ['length', 'axes0'], ['length1']),
  node('Concat', ['rows1', 'length1', 'heads', 'minus'], ['split_shape'], { axis: 0 }),
  node('Reshape', ['embedded', 'split_shape'], ['split']),
  node('Transpose', ['split'], ['queries'], { perm: [0, 2, 1, 3] }),
  node('Transpose', ['split'], ['keys'], { perm: [0, 2, 3, 1] }),
  node('MatMul', ['queries', 'keys'], ['scores']),
  node('Unsqueeze', ['attention_mask', 'axes12'], ['mask4']),
  node('Cast', ['mask4'], ['mask_float'], { to: 1 }),
  node('Sub', ['mask_one', 'mask_float'], ['inverted']),
  node('Mul', ['inverted', 'most_negative'], ['mask_bias']),
  node('Div', ['scores', 'root'], ['scaled']),
  node('Add', ['scaled', 'mask_bias'], ['masked']),
  node('Softmax', ['masked'], ['probabilities'], { axis: -1 }),
  node('MatMul', ['probabilities', 'queries'], ['context']),
  node('Transpose', ['context'], ['merged4'], { perm: [0, 2, 1, 3] }),
  node('Reshape', ['merged4', 'merged_shape'], ['merged']),
];
const attentionConstants = {
  zero: scalar(0),
  one: scalar(1),
  axes0: vector(0),
  axes12: vector(1, 2),
  heads: vector(2),
  minus: vector(-1),
  merged_shape: vector(0, 0, HIDDEN),
  mask_one: float32Tensor([1], []),
  most_negative: float32Tensor([-1e4], []),
  root: float32Tensor([Math.SQRT2], []),
};

/** Ops that make tensors by numbers in other tensors: where a small file may ask for a large one. */
const generators: NodeProto[] = [
  node('Shape', ['input_ids'], ['shape']),
  node('Gather', ['shape', 'one'], ['length']),
  node('Range', ['zero', 'length', 'one'], ['positions']),
  node('Gather', ['positions_table', 'positions'], ['positions_embedded']),
  node('Add', ['embedded', 'positions_embedded'], ['summed']),
  node('ConstantOfShape', ['sizes'], ['filled'], { value: weights(1) }),
  node('Expand', ['filled', 'sizes'], ['expanded']),
  node('Tile', ['expanded', 'repeats'], ['tiled']),
  node('Slice', ['tiled', 'starts', 'ends', 'axes', 'steps'], ['sliced']),
  node('Pad', ['sliced', 'pads'], ['padded']),
  node('Split', ['padded', 'parts'], ['left', 'right'], { axis: 1 }),
  node('Concat', ['left', 'right'], ['joined'], { axis: 1 }),
  node('ReduceSum', ['joined', 'axes'], ['total'], { keepdims: 0 }),
  node('Where', ['truth', 'summed', 'total'], ['chosen']),
];
const generatorConstants = {
  zero: scalar(0),
  one: scalar(1),
  positions_table: weights(8, HIDDEN),
  sizes: vector(2, HIDDEN),
  repeats: vector(1, 1),
  starts: vector(0),
  ends: vector(9),
  axes: vector(0),
  steps: vector(1),
  pads: vector(0, 0, 0, 0),
  parts: vector(2, 2),
  truth: { dtype: 'bool' as const, dims: [], bytes: Uint8Array.of(1) },
};

function withFunctions(): ModelProto {
  const reference = create(AttributeProtoSchema, { name: 'axis', refAttrName: 'axis', type: 2 });
  const softmax = node('Softmax', ['X'], ['Y']);
  softmax.attribute.push(reference);
  const call = (opType: string, from: string, to: string) =>
    node(opType, [from], [to], opType === 'Outer' ? {} : { axis: -1 }, { domain: 'local' });
  const opset = { domain: '', version: 18n };
  return encoder(
    [call('Outer', 'embedded', 'called')],
    {
      domains: { local: 1 },
      functions: [
        create(FunctionProtoSchema, {
          domain: 'local',
          name: 'Inner',
          input: ['X'],
          output: ['Y'],
          attribute: ['axis'],
          node: [softmax],
          opsetImport: [opset],
        }),
        create(FunctionProtoSchema, {
          domain: 'local',
          name: 'Outer',
          input: ['A'],
          output: ['C'],
          node: [call('Inner', 'A', 'B'), call('Inner', 'B', 'C')],
          opsetImport: [opset, { domain: 'local', version: 1n }],
        }),
      ],
    },
    'called',
  );
}

function withBranches(): ModelProto {
  const branch = (name: string): GraphProto =>
    buildModel({
      inputs: {},
      outputs: { [name]: float('batch', 'sequence', HIDDEN) },
      nodes: [node('Mul', ['embedded', `${name}_factor`], [name])],
      initializers: { [`${name}_factor`]: weights(HIDDEN) },
    }).graph!;
  const choice = node('If', ['truth'], ['either']);
  choice.attribute.push(
    create(AttributeProtoSchema, { name: 'then_branch', type: 5, g: branch('then') }),
    create(AttributeProtoSchema, { name: 'else_branch', type: 5, g: branch('else') }),
  );
  return encoder([choice], { initializers: { truth: generatorConstants.truth } }, 'either');
}

/** Ops as opset 11 has them, and a classifier. */
function old(): ModelProto {
  return buildModel({
    opset: 11,
    inputs,
    outputs: { logits: float('batch', 3) },
    nodes: [
      node('Gather', ['table', 'input_ids'], ['embedded']),
      node('Unsqueeze', ['embedded'], ['deeper'], { axes: [1] }),
      node('Squeeze', ['deeper'], ['back'], { axes: [1] }),
      node('Softmax', ['back'], ['soft'], { axis: 2 }),
      node('Split', ['soft'], ['first', 'second'], { axis: 2, split: [2, 2] }),
      node('Concat', ['first', 'second'], ['joined'], { axis: 2 }),
      node('Dropout', ['joined'], ['kept'], { ratio: { float: 0.1 } }),
      node('ReduceMean', ['kept'], ['pooled'], { axes: [1], keepdims: 0 }),
      node('Gemm', ['pooled', 'w', 'b'], ['logits'], { transB: 1 }),
    ],
    initializers: { table: weights(VOCABULARY, HIDDEN), w: weights(3, HIDDEN), b: weights(3) },
  });
}

function contrib(): ModelProto {
  const domain = { domain: 'com.microsoft' };
  return encoder(
    [
      node('SkipLayerNormalization', ['embedded', 'embedded', 'scale', 'shift'], ['skipped'], {}, domain),
      node('BiasGelu', ['skipped', 'b'], ['activated'], {}, domain),
      node('FastGelu', ['activated'], ['fast'], {}, domain),
      node('Gelu', ['fast'], ['slow'], {}, domain),
      node('QuickGelu', ['slow'], ['quick'], { alpha: { float: 1.702 } }, domain),
    ],
    { domains: { 'com.microsoft': 1 } },
    'quick',
  );
}

/** Moves the elements of the float tensors into a file. */
function withExternalData(model: ModelProto, file: string): OnnxSeed {
  const chunks: Uint8Array[] = [];
  let offset = 0;
  for (const tensor of model.graph!.initializer) {
    if (tensor.dataType !== 1) continue;
    const entry = (key: string, value: string) => create(StringStringEntryProtoSchema, { key, value });
    tensor.externalData = [
      entry('location', file),
      entry('offset', String(offset)),
      entry('length', String(tensor.rawData.length)),
    ];
    chunks.push(tensor.rawData);
    offset += tensor.rawData.length;
    tensor.rawData = new Uint8Array();
    tensor.dataLocation = 1;
  }
  return { model, files: { [file]: Buffer.concat(chunks) } };
}

/** Elements in the typed fields, as older exporters write them. */
function typed(model: ModelProto): ModelProto {
  const move = (tensor: TensorProto) => {
    if (tensor.dataType === 1) tensor.floatData = [tensor.rawData];
    else if (tensor.dataType === 7)
      tensor.int64Data = [Uint8Array.from(tensor.rawData.filter((_, i) => i % 8 === 0))];
    else return;
    tensor.rawData = new Uint8Array();
  };
  for (const tensor of model.graph!.initializer) move(tensor);
  return model;
}

/** Small models that together use every part of the format that is read. */
export function onnxSeeds(): OnnxSeed[] {
  const plain = [
    encoder([]),
    encoder(attention, { initializers: attentionConstants }, 'merged'),
    typed(encoder(attention, { initializers: attentionConstants }, 'merged')),
    encoder(generators, { initializers: generatorConstants }, 'chosen'),
    withFunctions(),
    withBranches(),
    old(),
    contrib(),
  ].map((model): OnnxSeed => ({ model, files: {} }));
  return [
    ...plain,
    withExternalData(encoder([]), 'weights.bin'),
    withExternalData(encoder(attention, { initializers: attentionConstants }, 'merged'), 'data/weights.bin'),
  ];
}

/** Names of operators and files that may stand where others do. */
export function onnxWords(seeds: readonly OnnxSeed[]): string[] {
  const ops = seeds.flatMap(({ model }) => model.graph!.node.map(({ opType }) => opType));
  const others = [
    'Loop',
    'Scan',
    'If',
    'Constant',
    'Identity',
    'Cast',
    'Range',
    'ConstantOfShape',
    'Expand',
    'Tile',
    'Erf',
  ];
  const files = [
    'weights.bin',
    'data/weights.bin',
    'link.bin',
    'folder-link/secret.bin',
    'pipe',
    'location',
    'offset',
    'length',
  ];
  return [...new Set([...ops, ...others, ...files])];
}
