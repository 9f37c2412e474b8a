import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { embeddedModel } from '../../src/train/embedded-model.ts';
import { readModelFile } from '../../src/train/open-model.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Bytes of array buffers that something refers to: a busy machine frees them some time after a collection. */
async function bufferBytes(): Promise<number> {
  let fewest = Infinity;
  for (let unchanged = 0; unchanged < 10; unchanged++) {
    await setTimeout(20); // what a promise held is let go
    collectGarbage();
    const { arrayBuffers } = process.memoryUsage();
    if (arrayBuffers < fewest) unchanged = 0;
    fewest = Math.min(fewest, arrayBuffers);
  }
  return fewest;
}

test("a file's bytes are let go once the engine has the weights", async () => {
  const { size } = statSync(join(embeddedModel.folder, 'model.onnx'));
  const before = await bufferBytes();
  const file = await readModelFile(embeddedModel.folder);
  const read = (await bufferBytes()) - before;
  assert.ok(read > 0.9 * size, `${read} bytes are kept of a file of ${size}`);
  const model = await file.open({
    ...{ classes: 3, head: 'auto', dropout: 0.1, seed: 1, fuse: true, device: 'cpu', precision: 'fp32' },
  });
  try {
    const kept = (await bufferBytes()) - before;
    assert.ok(kept < size / 10, `${kept} bytes are still kept of a file of ${size}`);
    assert.equal(file.config?.hidden_size, 256);
  } finally {
    model.engine.close();
  }
});
