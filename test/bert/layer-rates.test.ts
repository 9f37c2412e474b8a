import assert from 'node:assert/strict';
import { test } from 'node:test';
import { learningRateScales } from '../../src/bert/layer-rates.ts';
import type { Place, Places } from '../../src/bert/places.ts';
import type { SesdError } from '../../src/errors.ts';

const layer = (lowest: number, highest = lowest): Place => ({ kind: 'layer', lowest, highest });

const places: Places = {
  layers: 12,
  of: new Map<string, Place>([
    ['word', { kind: 'embeddings' }],
    ['bottom', layer(0)],
    ['next to top', layer(10)],
    ['top', layer(11)],
    ['shared', layer(0, 11)],
    ['pooler', { kind: 'pooler' }],
    ['classifier', { kind: 'classifier' }],
  ]),
  scales: new Set(),
};

test('the rate falls from the top layer down to the embeddings', () => {
  const scale = learningRateScales(places, 0.95);
  const expected = {
    ...{ classifier: 1, pooler: 1, top: 1, 'next to top': 0.95, bottom: 0.95 ** 11, word: 0.95 ** 12 },
    ...{ shared: 1, elsewhere: 1 },
  };
  for (const [name, value] of Object.entries(expected)) assert.equal(scale(name), value, name);
});

test('without decay all have the same rate, with it a model needs layers', () => {
  const unknown: Places = { layers: 0, of: new Map(), scales: new Set() };
  assert.equal(learningRateScales(unknown, 1)('word'), 1);
  assert.throws(
    () => learningRateScales(unknown, 0.9),
    (error: SesdError) => error.code === 'SESD_USAGE' && /--layer-lr-decay 0\.9/.test(error.message),
  );
});
