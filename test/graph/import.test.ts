import assert from 'node:assert/strict';
import { test } from 'node:test';
import { create } from '@bufbuild/protobuf';
import { SesdError, type SesdErrorCode } from '../../src/errors.ts';
import { float32Tensor, int64Tensor } from '../../src/graph/builder.ts';
import { intAttribute } from '../../src/graph/graph.ts';
import { serializeGraph } from '../../src/graph/serialize.ts';
import {
  AttributeProtoSchema,
  FunctionProtoSchema,
  type ModelProto,
  type NodeProto,
  OperatorSetIdProtoSchema,
  SparseTensorProtoSchema,
  TensorProtoSchema,
} from '../../src/onnx/generated/onnx_pb.ts';
import { floatElements } from '../../src/onnx/tensor.ts';
import { buildModel, bytesOf, float, int64, node } from '../onnx/build-model.ts';
import { difference, ramp, runModel } from '../onnx/run-model.ts';
import { agrees, imported, model, ops } from './imported.ts';

function refused(build: ModelProto, code: SesdErrorCode, pattern: RegExp, hint?: RegExp): void {
  assert.throws(
    () => imported(build),
    (error) => {
      assert.ok(error instanceof SesdError, String(error));
      assert.equal(error.code, code);
      assert.match(error.message, pattern);
      assert.match(error.message, /^model\.onnx: /);
      if (hint) assert.match(error.hint ?? '', hint);
      return true;
    },
  );
}

test('axes of older opsets become inputs', async () => {
  for (const opset of [11, 12, 13, 17]) {
    const axes = opset < 13 ? { axes: [1] } : {};
    const input = opset < 13 ? [] : ['one'];
    const graph = await agrees(
      model(
        [
          node('ReduceMean', ['x'], ['mean'], { axes: [-1], keepdims: 1 }),
          node('ReduceMax', ['mean'], ['max'], { keepdims: 0 }),
          node('ReduceSum', ['x', ...input], ['sum'], { ...axes, keepdims: 0 }),
          node('Unsqueeze', ['sum', ...input], ['wide'], axes),
          node('Squeeze', ['wide', ...input], ['narrow'], axes),
          node('Add', ['narrow', 'max'], ['y']),
        ],
        { opset, ...(opset < 13 ? {} : { initializers: { one: int64Tensor([1]) } }) },
      ),
    );
    assert.equal(graph.opset, 18);
    for (const { op, attributes } of graph.nodes) assert.ok(!attributes.has('axes'), op);
  }
});

test('Split without sizes keeps its equal parts', async () => {
  for (const opset of [11, 13, 18]) {
    const parts = opset === 18 ? { num_outputs: 2 } : {};
    const graph = await agrees(
      model([node('Split', ['x'], ['a', 'b'], { axis: 2, ...parts }), node('Mul', ['a', 'b'], ['y'])], {
        opset,
      }),
    );
    assert.equal(intAttribute(graph.nodes[0]!, 'num_outputs', 0), 2);
  }
  const sized = model([node('Split', ['x'], ['y', 'b'], { axis: 2, split: [1, 5] })], { opset: 12 });
  assert.deepEqual((await agrees(sized)).nodes[0]!.attributes.has('split'), false);
});

test('the softmax of opset 12 normalises over all axes from its own on', async () => {
  for (const op of ['Softmax', 'LogSoftmax']) {
    for (const axis of [-1, 2]) {
      assert.deepEqual(ops(await agrees(model([node(op, ['x'], ['y'], { axis })], { opset: 12 }))), [op]);
    }
    for (const attributes of [{ axis: 1 }, { axis: 0 }, { axis: -2 }, {}]) {
      const graph = await agrees(model([node(op, ['x'], ['y'], attributes)], { opset: 12 }));
      assert.deepEqual(ops(graph), ['Shape', 'Flatten', op, 'Reshape']);
    }
  }
});

test('the softmax of opset 13 stays', async () => {
  const graph = await agrees(model([node('Softmax', ['x'], ['y'], { axis: 1 })], { opset: 13 }));
  assert.equal(intAttribute(graph.nodes[0]!, 'axis', 9), 1);
});

test('the ratio of Dropout becomes an input', () => {
  const graph = imported(model([node('Dropout', ['x'], ['y'], { ratio: { float: 0.25 } })], { opset: 11 }));
  const [x, ratio] = graph.nodes[0]!.inputs;
  assert.equal(x, 'x');
  assert.deepEqual([...floatElements(graph.initializers.get(ratio!)!)], [0.25]);
});

test('Gelu of opset 20 is kept for a later pass; ops that changed their meaning are refused', () => {
  assert.deepEqual(ops(imported(model([node('Gelu', ['x'], ['y'])], { opset: 20 }))), ['Gelu']);
  refused(
    model([node('GroupNormalization', ['x', 'x', 'x'], ['y'], { num_groups: 2 })], { opset: 21 }),
    'SESD_UNSUPPORTED_OP',
    /GroupNormalization.*opset 21/,
  );
});

test('opsets out of range are refused with the one to use', () => {
  for (const opset of [9, 25]) {
    refused(
      model([node('Relu', ['x'], ['y'])], { opset }),
      'SESD_BAD_MODEL',
      new RegExp(`opset ${opset}`),
      /18/,
    );
  }
  const none = model([node('Relu', ['x'], ['y'])]);
  none.opsetImport = [];
  refused(none, 'SESD_BAD_MODEL', /does not say which/);
});

test('every form of Constant becomes an initializer of the same name', () => {
  const graph = imported(
    model([
      node('Constant', [], ['tensor'], { value: float32Tensor([1, 2], [2]) }),
      node('Constant', [], ['float'], { value_float: { float: 0.5 } }),
      node('Constant', [], ['int'], { value_int: -7 }),
      node('Constant', [], ['ints'], { value_ints: [1, 2, 3] }),
      node('Relu', ['x'], ['y']),
    ]),
  );
  assert.deepEqual(ops(graph), ['Relu']);
  const { tensor, float: scalar, int, ints } = Object.fromEntries(graph.initializers);
  assert.deepEqual(tensor, float32Tensor([1, 2], [2]));
  assert.deepEqual(scalar, float32Tensor([0.5], []));
  assert.deepEqual(int, int64Tensor([-7], []));
  assert.deepEqual(ints, int64Tensor([1, 2, 3]));
  assert.deepEqual(graph.types.get('ints'), { dtype: 'int64', dims: [3] });
});

test('a Constant of zeros for the shift of a normalization by weights is none', () => {
  const zeros = node('Constant', [], ['shift'], { value: float32Tensor(new Float32Array(6), [6]) });
  const normalize = node('LayerNormalization', ['x', 'scale', 'shift'], ['y'], { axis: -1 });
  const scale = float32Tensor(Float32Array.from([1, 2, 3, 4, 5, 6]), [6]);
  const weighted = imported(model([zeros, normalize], { initializers: { scale } }));
  assert.deepEqual(weighted.nodes[0]!.inputs, ['x', 'scale']);
  // where all weights are Constants, it is one of them
  const written = [node('Constant', [], ['scale'], { value: scale }), zeros, normalize];
  assert.deepEqual(imported(model(written)).nodes[0]!.inputs, ['x', 'scale', 'shift']);
});

test('copies of initializers resolve to the one weight, but for an output', () => {
  const graph = imported(
    model(
      [
        node('Identity', ['w'], ['w1']),
        node('Identity', ['w1'], ['w2']),
        node('Add', ['x', 'w2'], ['y']),
        node('Identity', ['w'], ['z']),
      ],
      { initializers: { w: float32Tensor([1], []) }, outputs: { y: undefined, z: undefined } },
    ),
  );
  assert.deepEqual(
    graph.nodes.map(({ op, inputs }) => [op, ...inputs]),
    [
      ['Add', 'x', 'w'],
      ['Identity', 'w'],
    ],
  );
});

test('initializers listed as inputs are none', () => {
  const graph = imported(
    model([node('Add', ['x', 'w'], ['y'])], {
      inputs: { x: float('batch', 4, 6), w: float(6) },
      initializers: { w: float32Tensor([1, 2, 3, 4, 5, 6], [6]) },
    }),
  );
  assert.deepEqual(graph.inputs, ['x']);
});

test('dims without a name are not taken for equal', () => {
  const build = buildModel({
    inputs: {
      ids: int64('', ''),
      mask: int64('', ''),
      named: int64('batch size', 7),
      ids_dim0: int64('ids_dim0', -1),
    },
    outputs: { y: undefined },
    nodes: [node('Add', ['ids', 'mask'], ['y'])],
  });
  const { types } = imported(build);
  assert.deepEqual(types.get('named')?.dims, ['batch_size', 7]);
  const dims = ['ids', 'mask', 'ids_dim0'].flatMap((name) => types.get(name)!.dims!);
  assert.equal(new Set(dims).size, 6);
  assert.ok(dims.every((dim) => typeof dim === 'string'));
});

test('nodes are put in order; a cycle and a missing producer are named', () => {
  const [a, b, c] = [node('Relu', ['x'], ['a']), node('Neg', ['a'], ['b']), node('Add', ['a', 'b'], ['y'])];
  assert.deepEqual(ops(imported(model([c, b, a]))), ['Relu', 'Neg', 'Add']);
  refused(
    model([
      node('Neg', ['c'], ['a']),
      node('Neg', ['a'], ['c'], {}, { name: 'round' }),
      node('Relu', ['c'], ['y']),
    ]),
    'SESD_BAD_MODEL',
    /cycle: node '(round|Neg_a)'/,
  );
  refused(model([node('Add', ['x', 'lost'], ['y'])]), 'SESD_BAD_MODEL', /'Add_y' \(Add\) reads 'lost'/);
  refused(model([a!, node('Neg', ['x'], ['a'])]), 'SESD_BAD_MODEL', /two producers of the value 'a'/);
  refused(model([a!]), 'SESD_BAD_MODEL', /output 'y'/);
});

test('a model may define its own ops, with attributes and an opset of their own', async () => {
  const functions = [
    create(FunctionProtoSchema, {
      domain: 'local',
      name: 'Outer',
      input: ['a', 'unused'],
      output: ['r', 'a2'],
      attribute: ['slope'],
      attributeProto: [create(AttributeProtoSchema, { name: 'axis', type: 2, i: 2n })],
      opsetImport: [
        { domain: 'local', version: 1n },
        { domain: '', version: 12n },
      ],
      node: [
        node('Inner', ['a'], ['t'], {}, { domain: 'local' }),
        Object.assign(node('LeakyRelu', ['t'], ['u']), {
          attribute: [create(AttributeProtoSchema, { name: 'alpha', refAttrName: 'slope', type: 1 })],
        }),
        Object.assign(node('Softmax', ['u'], ['r']), {
          attribute: [create(AttributeProtoSchema, { name: 'axis', refAttrName: 'axis', type: 2 })],
        }),
        node('Identity', ['a'], ['a2']),
      ],
    }),
    create(FunctionProtoSchema, {
      domain: 'local',
      name: 'Inner',
      input: ['v'],
      output: ['w'],
      opsetImport: [{ domain: '', version: 17n }],
      node: [node('ReduceMean', ['v'], ['m'], { axes: [2] }), node('Sub', ['v', 'm'], ['w'])],
    }),
  ];
  const build = model(
    [
      node('Outer', ['x'], ['p', 'q'], { slope: { float: 0.1 } }, { domain: 'local', name: 'first' }),
      node('Outer', ['p'], ['s'], { axis: 1, slope: { float: 0.3 } }, { domain: 'local', name: 'second' }),
      node('Add', ['s', 'q'], ['y']),
    ],
    { functions, domains: { local: 1 } },
  );
  const graph = imported(build);
  assert.ok(graph.nodes.every(({ domain }) => domain === ''));
  const softmaxes = graph.nodes.filter(({ op }) => op === 'Softmax');
  assert.deepEqual(
    softmaxes.map((each) => intAttribute(each, 'axis', 9)),
    [-1, -1],
  );
  assert.ok(ops(graph).includes('Flatten'), 'the second one normalises over axes 1 and 2');
  assert.ok(graph.types.has('x'));
  const means = graph.nodes.filter(({ op }) => op === 'ReduceMean');
  assert.ok(means.every(({ inputs }) => inputs.length === 2));

  // The same, written out.
  const flat = (from: string, to: string, slope: number, axis: number): NodeProto[] => [
    node('ReduceMean', [from], [`${to}m`], { axes: [2] }),
    node('Sub', [from, `${to}m`], [`${to}w`]),
    node('LeakyRelu', [`${to}w`], [`${to}u`], { alpha: { float: slope } }),
    node('Softmax', [`${to}u`], [to], { axis }),
  ];
  const plain = model(
    [...flat('x', 'p', 0.1, 2), ...flat('p', 's', 0.3, 1), node('Add', ['s', 'x'], ['y'])],
    { opset: 12 },
  );
  const feeds = { x: ramp(3, 4, 6) };
  const [a, b] = [await runModel(bytesOf(plain), feeds), await runModel(serializeGraph(graph), feeds)];
  assert.ok(difference(a.y!, b.y!) < 1e-6);
});

test('values inside functions keep apart, also where an inner call gives the outer output', async () => {
  const call = (name: string, input: string, body: NodeProto[]) =>
    create(FunctionProtoSchema, { domain: 'local', name, input: [input], output: ['r'], node: body });
  const graph = await agrees(
    model(
      [
        node('F', ['x'], ['a'], {}, { domain: 'local' }),
        node('F', ['a'], ['b'], {}, { domain: 'local' }),
        node('Add', ['a', 'b'], ['y']),
      ],
      {
        domains: { local: 1 },
        functions: [
          call('F', 'v', [node('Neg', ['v'], ['t']), node('G', ['t'], ['r'], {}, { domain: 'local' })]),
          call('G', 't', [node('Tanh', ['t'], ['v']), node('Abs', ['v'], ['r'])]),
        ].map((fn) =>
          Object.assign(fn, {
            opsetImport: [
              create(OperatorSetIdProtoSchema, { domain: '', version: 18n }),
              create(OperatorSetIdProtoSchema, { domain: 'local', version: 1n }),
            ],
          }),
        ),
      },
    ),
  );
  assert.deepEqual(ops(graph), ['Neg', 'Tanh', 'Abs', 'Neg', 'Tanh', 'Abs', 'Add']);
});

test('a function that calls itself is refused', () => {
  const fn = create(FunctionProtoSchema, {
    domain: 'local',
    name: 'F',
    input: ['a'],
    output: ['b'],
    node: [node('F', ['a'], ['b'], {}, { domain: 'local' })],
  });
  refused(
    model([node('F', ['x'], ['y'], {}, { domain: 'local' })], { functions: [fn] }),
    'SESD_BAD_MODEL',
    /function F calls itself/,
  );
});

test('unknown domains are kept, with what the file says of their outputs', () => {
  const build = model([
    node('Fancy', ['x'], ['f'], {}, { domain: 'org.example' }),
    node('Relu', ['f'], ['y']),
  ]);
  build.graph!.valueInfo = buildModel({
    inputs: { f: float('batch', 3), x: float(1) },
    outputs: {},
    nodes: [],
  }).graph!.input;
  const graph = imported(build);
  assert.equal(graph.nodes[0]!.domain, 'org.example');
  assert.deepEqual(graph.types.get('f'), { dtype: 'float32', dims: ['batch', 3] });
});

test('ai.onnx is the empty domain', () => {
  const build = model([node('Relu', ['x'], ['y'], {}, { domain: 'ai.onnx' })]);
  build.opsetImport[0]!.domain = 'ai.onnx';
  assert.equal(imported(build).nodes[0]!.domain, '');
});

test('quantized models are refused by node, with the way out', () => {
  for (const [op, domain] of [
    ['QLinearMatMul', ''],
    ['DynamicQuantizeLinear', ''],
    ['DequantizeLinear', ''],
    ['MatMulInteger', ''],
    ['MatMulNBits', 'com.microsoft'],
    ['QAttention', 'com.microsoft'],
    ['MatMulIntegerToFloat', 'com.microsoft'],
  ] as const) {
    refused(
      model([node(op, ['x', 'x'], ['y'], {}, { domain, name: 'culprit' })]),
      'SESD_UNSUPPORTED_OP',
      /quantized: node 'culprit'/,
      /float model/,
    );
  }
  assert.deepEqual(ops(imported(model([node('QuickGelu', ['x'], ['y'], {}, { domain: 'com.microsoft' })]))), [
    'QuickGelu',
  ]);
});

test('strings and sparse weights are refused', () => {
  refused(
    buildModel({
      inputs: { text: { dtype: 'string', dims: [1] } },
      outputs: { y: undefined },
      nodes: [node('Identity', ['text'], ['y'])],
    }),
    'SESD_BAD_MODEL',
    /input 'text' holds string/,
    /bare transformer/,
  );
  const words = create(TensorProtoSchema, {
    name: 'words',
    dims: [1n],
    dataType: 8,
    stringData: [Buffer.from('a')],
  });
  const strings = model([node('Relu', ['x'], ['y'])]);
  strings.graph!.initializer.push(words);
  refused(strings, 'SESD_BAD_MODEL', /'words' holds string/);
  const sparse = model([node('Relu', ['x'], ['y'])]);
  sparse.graph!.sparseInitializer.push(create(SparseTensorProtoSchema, { values: { name: 'w' } }));
  refused(sparse, 'SESD_BAD_MODEL', /'w' is sparse/);
});

test('two initializers of one name are refused', () => {
  const build = model([node('Relu', ['x'], ['y'])], { initializers: { w: float32Tensor([1], [1]) } });
  build.graph!.initializer.push(build.graph!.initializer[0]!);
  refused(build, 'SESD_BAD_MODEL', /two initializers are named 'w'/);
});

test('16-bit weights become float32', () => {
  const half = { dtype: 'float16' as const, dims: [2], bytes: Uint8Array.of(0, 0x3c, 0, 0x40) };
  const graph = imported(model([node('Relu', ['x'], ['y'])], { initializers: { w: half } }));
  assert.deepEqual(graph.initializers.get('w'), float32Tensor([1, 2], [2]));
});
