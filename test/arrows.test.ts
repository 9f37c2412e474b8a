import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const src = fileURLToPath(new URL('../src', import.meta.url));

/** The rooms of src/, from the ground up, with those each may import from. Types count as much as values. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  errors: [],
  config: ['errors'],
  onnx: ['errors'],
  graph: ['errors', 'onnx'],
  autodiff: ['errors', 'onnx', 'graph'],
  engine: ['errors', 'onnx', 'graph'],
  bert: ['errors', 'onnx', 'graph', 'autodiff', 'engine'],
  export: ['errors', 'onnx', 'graph'],
  data: ['errors', 'config', 'engine'], // a task brings its settings
  tokenizer: ['errors', 'data'],
  metrics: ['errors'],
  objective: ['errors'],
  ensemble: ['errors', 'engine'],
  strategy: ['errors', 'config', 'data', 'engine', 'objective', 'ensemble'],
  train: [
    ...['errors', 'config', 'data', 'tokenizer', 'metrics', 'engine', 'objective', 'ensemble', 'strategy'],
    ...['onnx', 'graph', 'bert', 'export'], // where a model is opened
  ],
  reproduce: ['errors', 'config', 'data', 'train'],
  doctor: ['errors', 'engine', 'objective', 'train'],
  cli: ['errors', 'config', 'data', 'metrics', 'bert', 'train', 'reproduce', 'doctor'],
  index: ['errors', 'config', 'data', 'metrics', 'objective', 'train'],
};

interface Import {
  from: string;
  to: string;
}

const roomOf = (path: string) => path.split(sep)[0]!.replace(/\.ts$/, '');

/** The source files, relative to src/. */
const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.ts'));

function importsOf(path: string): Import[] {
  const code = readFileSync(join(src, path), 'utf8');
  const pattern = /\b(?:import|export)\s+(?:[^'";]*?\sfrom\s+)?'(\.{1,2}\/[^']+)'|\bimport\('(\.[^']+)'\)/g;
  return [...code.matchAll(pattern)].map(([, named, called]) => ({
    from: path,
    to: relative(src, resolve(src, dirname(path), (named ?? called)!)),
  }));
}

const imports = files.flatMap(importsOf);

describe('the arrows of the design', () => {
  test('are drawn between the rooms there are, from higher to lower ones', () => {
    const rooms = Object.keys(mayImport);
    assert.deepEqual(
      [...new Set(files.map(roomOf))].filter((room) => !rooms.includes(room)),
      [],
      'a new room of src/ needs its place in the table',
    );
    for (const [i, room] of rooms.entries())
      for (const target of mayImport[room]!)
        assert.ok(rooms.indexOf(target) < i, `${room} may not import from ${target}, which is above it`);
  });

  test('are those the code follows', () => {
    assert.ok(imports.length > 100, `only ${imports.length} imports were found`);
    const wrong = imports
      .filter(({ from, to }) => roomOf(from) !== roomOf(to) && !mayImport[roomOf(from)]?.includes(roomOf(to)))
      .map(({ from, to }) => `${from} imports ${to}`);
    assert.deepEqual(wrong, []);
  });

  test('lead to the native addon from the backends alone', () => {
    const contract = join('engine', 'contract.ts');
    const backends = join('engine', 'backends') + sep;
    const wrong = imports.filter(({ from, to }) => to === contract && !from.startsWith(backends));
    assert.deepEqual(wrong, []);
    const loading = files.filter((path) =>
      /sesd\.node|process\.dlopen/.test(readFileSync(join(src, path), 'utf8')),
    );
    assert.ok(loading.length > 0, 'something loads the addon');
    assert.deepEqual(
      loading.filter((path) => !path.startsWith(backends)),
      [],
    );
  });
});
