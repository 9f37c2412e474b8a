import { bertGraph } from './models/bert-graph.ts';
import { prepareBert } from './src/bert/prepare.ts';
import { createEngine } from './src/engine/backends/onnx-runtime.ts';
const config = { vocab_size: 30522, hidden_size: 768, num_hidden_layers: 12, num_attention_heads: 12, intermediate_size: 3072, max_position_embeddings: 512, type_vocab_size: 2, layer_norm_eps: 1e-12, initializer_range: 0.02 };
let x = 1;
const init = (n: number) => { const a = new Float32Array(n); for (let i = 0; i < n; i++) { x = (Math.imul(x, 1664525) + 1013904223) >>> 0; a[i] = (x / 2 ** 32 - 0.5) * 0.07; } return a; };
const graph = bertGraph(config, init);
const rows = 8, length = 128;
const batch = { rows, length, examples: rows, inputIds: BigInt64Array.from({ length: rows * length }, (_, i) => BigInt(1 + (i * 7919) % 30000)), attentionMask: new BigInt64Array(rows * length).fill(1n), tokenTypeIds: new BigInt64Array(rows * length) };
const cases: Record<string, string | undefined> = { all: undefined, 'embeddings': '^embeddings', 'embeddings and layers 0-5': '^embeddings|^layer\\.[0-5]\\.', 'all but the top layer up': '^embeddings|^layer\\.([0-9]|10)\\.', 'all but classifier': '^(embeddings|layer|pooler)' };
const which = process.argv[2]!;
const times: Record<string, number[]> = {};
if (which === 'memory') {
  const name = process.argv[3]!;
  const { plan } = await prepareBert(graph, { head: 'auto', classes: 2, dropout: 0.1, fuse: true, seed: 1, freeze: cases[name] });
  graph.initializers.clear();
  const engine = await createEngine(plan, { threads: 2 });
  for (let step = 1; step <= 2; step++) { await engine.forward(batch, { dropoutKey: [1, step] }); await engine.backward(new Float32Array(rows * 2).fill(0.1)); await engine.update({ step, learningRate: 1e-5, headLearningRate: 1e-4, weightDecay: 0.01, maxGradNorm: 1 }); }
  console.log(name, 'peak RSS MB', Math.round(process.resourceUsage().maxRSS / 1000), 'rss', Math.round(process.memoryUsage().rss / 1e6));
  process.exit(0);
}
const engines: Record<string, any> = {};
for (const [name, freeze] of Object.entries(cases)) {
  const { plan } = await prepareBert(graph, { head: 'auto', classes: 2, dropout: 0.1, fuse: true, seed: 1, freeze });
  engines[name] = await createEngine(plan, { threads: 2 }); times[name] = [];
}
for (let round = 0; round < 6; round++) for (const [name, engine] of Object.entries(engines)) {
  const start = performance.now();
  await engine.forward(batch, { dropoutKey: [1, round] }); await engine.backward(new Float32Array(rows * 2).fill(0.1)); await engine.update({ step: round + 1, learningRate: 1e-5, headLearningRate: 1e-4, weightDecay: 0.01, maxGradNorm: 1 });
  if (round > 0) times[name]!.push(performance.now() - start);
}
for (const [name, t] of Object.entries(times)) { const ratio = t.map((v, i) => v / times.all![i]!).sort((a, b) => a - b)[2]!; console.log(name, 'median ratio', ratio.toFixed(3), 'ms', t.map(Math.round).join(' ')); }
process.exit(0);
