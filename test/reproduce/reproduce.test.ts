import assert from 'node:assert/strict';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { TrainOptionsInput } from '../../src/config/train-options.ts';
import type { TaskName } from '../../src/data/tasks/index.ts';
import { SesdError } from '../../src/errors.ts';
import { planCells } from '../../src/reproduce/plan.ts';
import { published } from '../../src/reproduce/published.ts';
import { reproduce } from '../../src/reproduce/reproduce.ts';
import { relativeReduction, resultsOf } from '../../src/reproduce/results.ts';
import { tables } from '../../src/reproduce/tables.ts';
import type { TrainEvent, TrainSummary } from '../../src/train/events.ts';
import { makeWorkFolder, sesdTrain } from '../cli/sesd-train.ts';

let folder: string;
before(async () => {
  folder = await makeWorkFolder();
});
after(() => rmSync(folder, { recursive: true }));

const given = (): TrainOptionsInput => ({
  ...{ onnx: join(folder, 'bert'), train: join(folder, 'train.jsonl'), test: join(folder, 'test.csv') },
  ...{ lr: 5e-3, headLr: 5e-3, batchSize: 5, epochs: 4, maxLength: 16 },
});

const running = new AbortController().signal;
const read = (path: string) => readFileSync(join(folder, path), 'utf8');

describe('the numbers of the paper', () => {
  test('give its relative error reductions', () => {
    const average = (row: string, tasks: readonly TaskName[]) => {
      const columns = tasks.map((task) => published.table3[task]!);
      const errors = (name: string) =>
        columns.flatMap(({ unit, rows }) => rows[name]!.map((x) => (unit === 'error' ? x : 100 - x)));
      return relativeReduction(errors('BASE'), errors(row)).toFixed(2);
    };
    const classification: TaskName[] = ['imdb', 'ag-news', 'dbpedia', 'yelp-polarity', 'yelp-full'];
    const rows = ['VOTE', 'AVG', 'SE', 'SDV', 'SDA'];
    assert.deepEqual(
      rows.map((row) => average(row, classification)),
      ['5.44', '4.07', '2.50', '5.65', '6.26'],
    );
    assert.deepEqual(
      rows.map((row) => average(row, ['snli', 'mnli'])),
      ['5.50', '3.24', '-0.51', '5.30', '4.65'],
    );
  });

  test('are those of rows the tables have', () => {
    for (const [name, byTask] of Object.entries(published)) {
      const rows = tables[name as keyof typeof tables].rows.map((row) => row.name);
      for (const { rows: reported } of Object.values(byTask))
        assert.deepEqual(Object.keys(reported).sort(), [...rows].sort(), name);
    }
  });
});

describe('a plan', () => {
  test('has a cell for each row and seed, and votes of as many runs as there are seeds', () => {
    const grid = { seeds: [3, 1, 4, 5, 9], output: 'out', given: { ...given(), runs: 2 } };
    const cells = planCells(tables.table3, grid);
    assert.deepEqual(
      cells.filter(({ row }) => row === 'SDA').map(({ input }) => input.output),
      [3, 1, 4, 5, 9].map((seed) => join('out', 'sda', `seed-${seed}`)),
    );
    assert.deepEqual(
      cells.filter(({ row }) => row === 'VOTE').map(({ seeds }) => seeds),
      [
        [3, 1],
        [4, 5],
      ],
    );
    const windows = planCells(tables['k-ablation'], { ...grid, seeds: [1] });
    assert.deepEqual(
      windows
        .map(({ input, options }) => [input.output.split(/[\\/]/)[1], options.strategy, options.window])
        .at(-1),
      ['sda-k-5', 'sda', 5],
    );
  });
});

describe('results', () => {
  test("are in the paper's unit, with deviation and significance over the seeds", () => {
    const accuracies: Record<string, number[]> = { BASE: [0.94, 0.95, 0.942], SDA: [0.951, 0.952, 0.955] };
    const grid = {
      seeds: [1, 2, 3],
      output: 'out',
      given: { task: 'imdb' as const, data: 'x', onnx: 'bert' },
    };
    const cells = planCells(tables.table3, grid).filter(({ row }) => row in accuracies);
    const summaries = cells.map(({ row, seeds }) => ({
      test: { accuracy: accuracies[row]![seeds[0]! - 1]!, examples: 9, loss: 1 },
    }));
    const { unit, rows } = resultsOf('table3', cells, summaries as unknown as TrainSummary[]);
    const [base, sda] = rows as [(typeof rows)[0], (typeof rows)[0]];
    assert.equal(unit, 'error');
    const near = (found: number, expected: number) =>
      assert.ok(Math.abs(found - expected) < 1e-9, `${found}`);
    near(base.scores[0]!.mean, 5.6);
    near(sda.scores[0]!.mean, 14.2 / 3);
    near(base.scores[0]!.standardDeviation, Math.sqrt(0.28));
    assert.deepEqual([base.scores[0]!.published, sda.scores[0]!.published], [5.8, 5.29]);
    near(sda.delta, (100 * (5.6 - 14.2 / 3)) / 5.6);
    near(sda.publishedDelta!, (100 * (5.8 - 5.29)) / 5.8);
    near(sda.p, 0.12453446138808402);
    assert.ok(Number.isNaN(base.p));
  });
});

describe('reproduce', () => {
  test('goes on after an interruption, trains nothing twice and writes the table', async () => {
    const grid = { seeds: [1, 2], output: join(folder, 'table'), given: given() };
    const stop = new AbortController();
    let steps = 0;
    await assert.rejects(
      reproduce('table3', grid, { signal: stop.signal }, ({ type }) => {
        if (type === 'step' && ++steps === 40) stop.abort();
      }),
      (error) => {
        assert.ok(error instanceof SesdError && error.code === 'SESD_ABORTED');
        assert.match(error.message, /^Cell 5 of 10 \(SE, seed 1\): Interrupted after step \d+ of 16/);
        assert.match(error.hint!, /same command again/);
        return true;
      },
    );
    const events: TrainEvent[] = [];
    const results = await reproduce('table3', grid, { signal: running }, (event) => events.push(event));
    const updates = events.filter(({ type }) => type === 'step').length;
    assert.equal(updates, 6 * 16 - (40 - 32));
    assert.ok(
      events.some((event) => event.type === 'notice' && /^Cell 2 of 10 .* is finished/.test(event.message)),
    );

    for (const { name, scores } of results.rows) {
      const folders = name === 'VOTE' || name === 'AVG' ? ['seeds-1-2'] : ['seed-1', 'seed-2'];
      const summaries = folders.map((cell) =>
        JSON.parse(read(`table/${name.toLowerCase()}/${cell}/summary.json`)),
      );
      assert.deepEqual(
        scores[0]!.values,
        summaries.map(({ test }) => 100 * test.accuracy),
      );
    }
    assert.deepEqual(JSON.parse(read('table/table3.json')).splits, ['test']);
    assert.match(read('table/table3.md'), /^\| SDA \| 2 \| [\d.]+ ± [\d.]+ \| -?[\d.]+ \| [\d.–e-]+ \|$/m);
  });

  test('refuses to go on with other options', async () => {
    const grid = { seeds: [1, 2], output: join(folder, 'table'), given: { ...given(), epochs: 5 } };
    await assert.rejects(
      reproduce('table3', grid, { signal: running }, () => {}),
      /Cell 1 of 10 \(BASE, seed 1\): --epochs 5: the run to resume was started with 4/,
    );
  });

  test('only says what would be run with --plan', async () => {
    const flags = '--onnx bert --train train.jsonl --test test.csv --batch-size 5 --epochs 4 --seeds 1,2,5,';
    const call = (args: string) => sesdTrain(args.split(' '), { cwd: folder });
    const { code, stdout, stderr } = await call(`reproduce few-data ${flags} --plan`);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^SDV K=5 +sdv K=5 λ=1 +3 +16 +48$/m);
    assert.match(stdout, /^12 runs, 192 steps in all, in runs\/few-data\//m);

    for (const [args, message] of [
      ['reproduce', /needs the name of a table\. There are table3 \(every method\); /],
      ['reproduce tabel3', /--table: expected one of table3, .*Did you mean table3\?/],
      ['reproduce table3 --seeds x', /--seeds: expected a number, or seeds as in 1,2,7/],
      ['reproduce table3 --strategy sda', /--strategy is not a flag/],
    ] as const) {
      const failed = await call(args);
      assert.equal(failed.code, 2, args);
      assert.match(failed.stderr, message);
    }
  });
});
