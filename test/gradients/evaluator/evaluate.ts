import { type Graph, opName } from '../../../src/graph/graph.ts';
import { type Evaluate, elementwise } from './elementwise.ts';
import { movement } from './movement.ts';
import { products } from './products.ts';
import { reductions } from './reductions.ts';
import { sesd } from './sesd.ts';
import { fromTensorData, type Tensor } from './tensor.ts';

const ops: Readonly<Record<string, Evaluate>> = {
  ...elementwise,
  ...products,
  ...reductions,
  ...movement,
  ...sesd,
};

/** Every value of the graph, in double precision, by name. */
export function evaluate(graph: Graph, feeds: ReadonlyMap<string, Tensor>): Map<string, Tensor> {
  const values = new Map<string, Tensor>();
  for (const [name, data] of graph.initializers) values.set(name, fromTensorData(data));
  for (const [name, value] of feeds) values.set(name, value);
  for (const node of graph.nodes) {
    const op = ops[opName(node)];
    if (op === undefined) throw new Error(`the evaluator has no ${opName(node)}`);
    const inputs = node.inputs.map((input) => {
      if (input !== '' && !values.has(input)) throw new Error(`${node.op} reads ${input} before it is made`);
      return values.get(input);
    });
    const outputs = op(node, inputs);
    for (const [index, name] of node.outputs.entries()) if (name) values.set(name, outputs[index]!);
  }
  return values;
}
