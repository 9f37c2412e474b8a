import type { Attribute, Graph, TensorData } from '../src/graph/graph.ts';

/** BERT's sizes, named as in Hugging Face's config.json. */
export interface BertConfig {
  vocab_size: number;
  hidden_size: number;
  num_hidden_layers: number;
  num_attention_heads: number;
  intermediate_size: number;
  max_position_embeddings: number;
  type_vocab_size: number;
  layer_norm_eps: number;
  initializer_range: number;
}

/** Makes the initial values of one weight matrix. */
export type InitializeWeights = (elements: number) => Float32Array;

/**
 * BertModel as an inference export has it, without dropout, in ONNX opset 17: inputs `input_ids`, `attention_mask` and
 * `token_type_ids`, int64 [batch, sequence]; outputs `last_hidden_state` [batch, sequence, hidden] and
 * `pooler_output` [batch, hidden]. Weights have Hugging Face's names; those of linear layers inside the encoder lie
 * as MatMul takes them, [in, out], the pooler's as in PyTorch, [out, in].
 */
export function bertGraph(config: BertConfig, initialize: InitializeWeights): Graph {
  const graph = new GraphWriter(initialize);
  const { hidden_size: hidden, num_attention_heads: heads, intermediate_size: intermediate } = config;
  const batchSequence = ['batch', 'sequence'];
  const ids = graph.input('input_ids', batchSequence);
  const attentionMask = graph.input('attention_mask', batchSequence);
  const types = graph.input('token_type_ids', batchSequence);

  // −∞ in float32 where the mask is 0, as BertModel's extended attention mask.
  const mask4d = graph.node('/bert/Unsqueeze', 'Unsqueeze', [
    attentionMask,
    graph.ints('/bert/mask_axes', [1, 2]),
  ]);
  const maskFloat = graph.node('/bert/Cast', 'Cast', [mask4d], { to: int(1) });
  const hole = graph.node('/bert/Sub', 'Sub', [graph.scalar('/bert/one', 1), maskFloat]);
  const mask = graph.node('/bert/Mul', 'Mul', [hole, graph.scalar('/bert/lowest', -3.4028234663852886e38)]);

  let state = embeddings();
  for (let i = 0; i < config.num_hidden_layers; i++) state = layer(`bert.encoder.layer.${i}`, state);
  state = graph.output('last_hidden_state', state, ['batch', 'sequence', hidden]);
  graph.output('pooler_output', pooler(state), ['batch', hidden]);
  return graph.graph;

  function embeddings(): string {
    const at = 'bert.embeddings';
    const table = (name: string, rows: number): string =>
      graph.weight(`${at}.${name}_embeddings.weight`, [rows, hidden]);
    const words = graph.node(`${path(at)}/word_embeddings/Gather`, 'Gather', [
      table('word', config.vocab_size),
      ids,
    ]);
    const typed = graph.node(`${path(at)}/token_type_embeddings/Gather`, 'Gather', [
      table('token_type', config.type_vocab_size),
      types,
    ]);
    const shape = graph.node(`${path(at)}/Shape`, 'Shape', [ids]);
    const length = graph.node(`${path(at)}/Gather`, 'Gather', [shape, graph.ints(`${path(at)}/axis`, [1])]);
    const positionIds = graph.node(`${path(at)}/Slice`, 'Slice', [
      graph.ints(
        `${at}.position_ids`,
        Array.from({ length: config.max_position_embeddings }, (_, i) => i),
        [1, config.max_position_embeddings],
      ),
      graph.ints(`${path(at)}/starts`, [0]),
      length,
      graph.ints(`${path(at)}/axes`, [1]),
    ]);
    const placed = graph.node(`${path(at)}/position_embeddings/Gather`, 'Gather', [
      table('position', config.max_position_embeddings),
      positionIds,
    ]);
    const sum = graph.node(`${path(at)}/Add`, 'Add', [words, typed]);
    return layerNorm(`${at}.LayerNorm`, graph.node(`${path(at)}/Add_1`, 'Add', [sum, placed]));
  }

  function layer(at: string, input: string): string {
    const context = attention(`${at}.attention.self`, input);
    const attended = sublayerOutput(`${at}.attention.output`, context, input, hidden);
    const raised = linear(`${at}.intermediate.dense`, attended, hidden, intermediate);
    return sublayerOutput(`${at}.output`, gelu(`${at}.intermediate`, raised), attended, intermediate);
  }

  function attention(at: string, input: string): string {
    const headSize = hidden / heads;
    const split = (name: string, permutation: number[]): string => {
      const projected = linear(`${at}.${name}`, input, hidden, hidden);
      const shape = graph.ints(`${path(at)}/${name}_shape`, [0, 0, heads, headSize]);
      const reshaped = graph.node(`${path(at)}/${name}/Reshape`, 'Reshape', [projected, shape]);
      return graph.node(`${path(at)}/${name}/Transpose`, 'Transpose', [reshaped], {
        perm: ints(permutation),
      });
    };
    const query = split('query', [0, 2, 1, 3]);
    const key = split('key', [0, 2, 3, 1]);
    const value = split('value', [0, 2, 1, 3]);
    const products = graph.node(`${path(at)}/MatMul`, 'MatMul', [query, key]);
    const scaled = graph.node(`${path(at)}/Div`, 'Div', [
      products,
      graph.scalar(`${path(at)}/sqrt_head_size`, Math.sqrt(headSize)),
    ]);
    const masked = graph.node(`${path(at)}/Add`, 'Add', [scaled, mask]);
    const probabilities = graph.node(`${path(at)}/Softmax`, 'Softmax', [masked], { axis: int(-1) });
    const mixed = graph.node(`${path(at)}/MatMul_1`, 'MatMul', [probabilities, value]);
    const rows = graph.node(`${path(at)}/Transpose`, 'Transpose', [mixed], { perm: ints([0, 2, 1, 3]) });
    return graph.node(`${path(at)}/Reshape`, 'Reshape', [
      rows,
      graph.ints(`${path(at)}/shape`, [0, 0, hidden]),
    ]);
  }

  function sublayerOutput(at: string, input: string, residual: string, size: number): string {
    const projected = linear(`${at}.dense`, input, size, hidden);
    return layerNorm(`${at}.LayerNorm`, graph.node(`${path(at)}/Add`, 'Add', [projected, residual]));
  }

  function linear(at: string, input: string, from: number, to: number): string {
    const product = graph.node(`${path(at)}/MatMul`, 'MatMul', [
      input,
      graph.weight(`${at}.weight`, [from, to]),
    ]);
    return graph.node(`${path(at)}/Add`, 'Add', [graph.filled(`${at}.bias`, to, 0), product]);
  }

  function layerNorm(at: string, input: string): string {
    const scale = graph.filled(`${at}.weight`, hidden, 1);
    const bias = graph.filled(`${at}.bias`, hidden, 0);
    return graph.node(`${path(at)}/LayerNormalization`, 'LayerNormalization', [input, scale, bias], {
      axis: int(-1),
      epsilon: { kind: 'float', value: config.layer_norm_eps },
    });
  }

  // ½x·(1 + erf(x/√2)): opset 17 has no Gelu.
  function gelu(at: string, input: string): string {
    const act = `${path(at)}/intermediate_act_fn`;
    const scaled = graph.node(`${act}/Div`, 'Div', [input, graph.scalar(`${act}/sqrt_2`, Math.SQRT2)]);
    const erf = graph.node(`${act}/Erf`, 'Erf', [scaled]);
    const raised = graph.node(`${act}/Add`, 'Add', [erf, graph.scalar(`${act}/one`, 1)]);
    const product = graph.node(`${act}/Mul`, 'Mul', [input, raised]);
    return graph.node(`${act}/Mul_1`, 'Mul', [product, graph.scalar(`${act}/half`, 0.5)]);
  }

  function pooler(input: string): string {
    const first = graph.node('/bert/pooler/Gather', 'Gather', [input, graph.int('/bert/pooler/cls', 0)], {
      axis: int(1),
    });
    const weight = graph.weight('bert.pooler.dense.weight', [hidden, hidden]);
    const bias = graph.filled('bert.pooler.dense.bias', hidden, 0);
    const dense = graph.node('/bert/pooler/dense/Gemm', 'Gemm', [first, weight, bias], { transB: int(1) });
    return graph.node('/bert/pooler/activation/Tanh', 'Tanh', [dense]);
  }
}

/** `bert.encoder.layer.0` as node names spell it: `/bert/encoder/layer.0`. */
function path(module: string): string {
  return `/${module.replace(/\.(?!\d)/g, '/')}`;
}

function int(value: number): Attribute {
  return { kind: 'int', value: BigInt(value) };
}

function ints(values: readonly number[]): Attribute {
  return { kind: 'ints', value: values.map(BigInt) };
}

/** Collects nodes and initializers; a node's output is named after it, as exporters do. */
class GraphWriter {
  readonly graph: Graph = {
    opset: 17,
    inputs: [],
    outputs: [],
    initializers: new Map(),
    nodes: [],
    types: new Map(),
  };
  readonly #initialize: InitializeWeights;

  constructor(initialize: InitializeWeights) {
    this.#initialize = initialize;
  }

  input(name: string, dims: (number | string)[]): string {
    this.graph.inputs.push(name);
    this.graph.types.set(name, { dtype: 'int64', dims });
    return name;
  }

  /** Makes `value`, already computed, an output; `name` is the value's name from here on. */
  output(name: string, value: string, dims: (number | string)[]): string {
    for (const node of this.graph.nodes) {
      node.inputs = node.inputs.map((input) => (input === value ? name : input));
      node.outputs = node.outputs.map((output) => (output === value ? name : output));
    }
    this.graph.outputs.push(name);
    this.graph.types.set(name, { dtype: 'float32', dims });
    return name;
  }

  node(name: string, op: string, inputs: string[], attributes: Record<string, Attribute> = {}): string {
    const output = `${name}_output_0`;
    this.graph.nodes.push({
      name,
      op,
      domain: '',
      inputs,
      outputs: [output],
      attributes: new Map(Object.entries(attributes)),
    });
    return output;
  }

  weight(name: string, dims: readonly number[]): string {
    const values = this.#initialize(dims.reduce((product, dim) => product * dim, 1));
    return this.#floats(name, values, dims);
  }

  filled(name: string, size: number, value: number): string {
    return this.#floats(name, new Float32Array(size).fill(value), [size]);
  }

  scalar(name: string, value: number): string {
    return this.#floats(name, Float32Array.of(value), []);
  }

  int(name: string, value: number): string {
    return this.ints(name, [value], []);
  }

  ints(name: string, values: readonly number[], dims: readonly number[] = [values.length]): string {
    const bytes = new Uint8Array(BigInt64Array.from(values, BigInt).buffer);
    return this.#add(name, { dtype: 'int64', dims, bytes });
  }

  #floats(name: string, values: Float32Array<ArrayBuffer> | Float32Array, dims: readonly number[]): string {
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    return this.#add(name, { dtype: 'float32', dims, bytes });
  }

  #add(name: string, tensor: TensorData): string {
    this.graph.initializers.set(name, tensor);
    this.graph.types.set(name, { dtype: tensor.dtype, dims: tensor.dims });
    return name;
  }
}
