import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { prepareBert } from '../../src/bert/prepare.ts';
import { importGraph } from '../../src/graph/import.ts';
import { readModel } from '../../src/onnx/read.ts';
import { placedOnHost } from './placed-on-host.ts';

const at = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));

/** As PyTorch's two exporters and our own generator write BERT; the zoo has many more. */
const files = {
  torchscript: at('test/fixtures/tiny-bert/model.onnx'),
  dynamo: at('test/fixtures/tiny-bert/model-dynamo.onnx'),
  own: at('models/mini-bert/model.onnx'),
};

describe('shapes for a GPU', () => {
  async function graphsOf(file: string, device: 'cpu' | 'cuda', head: 'auto' | 'mean' = 'auto') {
    const { plan } = await prepareBert(importGraph(await readModel(file)), {
      ...{ head, classes: 3, dropout: 0.1, seed: 1, fuse: false, device },
    });
    return Object.entries({ forward: plan.forward, backward: plan.backward, inference: plan.inference });
  }

  for (const [name, file] of Object.entries(files)) {
    for (const head of ['auto', 'mean'] as const) {
      test(`${name}, head ${head}: no node would be placed on the CPU`, async () => {
        for (const [part, { model }] of await graphsOf(file, 'cuda', head)) {
          assert.deepEqual(placedOnHost(model), [], part);
        }
      });
    }
  }

  test('without the cut some would be', async () => {
    for (const [part, { model }] of await graphsOf(files.torchscript, 'cpu')) {
      assert.match(placedOnHost(model).join(), /Gather/, part);
    }
  });
});
