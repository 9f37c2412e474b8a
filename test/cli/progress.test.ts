import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { count, duration, significant, table } from '../../src/cli/format.ts';
import { Progress } from '../../src/cli/progress.ts';
import type { OutputStream } from '../../src/cli/streams.ts';
import type { ConfigEvent, StepEvent } from '../../src/train/events.ts';

const config: ConfigEvent = {
  type: 'config',
  options: {},
  labels: ['a', 'b'],
  examples: { train: 6400 },
  totalSteps: 200,
  stepsPerEpoch: 200,
  parameters: 1_234_567,
  version: '1.0.0',
};

function step(number: number): StepEvent {
  const fixed = {
    epoch: 0,
    loss: 2,
    ce: 1.5,
    distill: 0.5,
    lr: 1e-4,
    gradNorm: 1,
    examples: 32,
    tokens: 640,
    ms: 400,
  };
  return { type: 'step', step: number, ...fixed };
}

function screen({ isTerminal, columns = 80 }: { isTerminal: boolean; columns?: number }) {
  let text = '';
  const stream = {
    isTerminal,
    columns,
    write: (more: string) => (text += more),
    line: (more = '') => (text += `${more}\n`),
  };
  return { stream: stream as unknown as OutputStream, text: () => text };
}

describe('progress without a terminal', () => {
  test('is about twenty lines, the first and the last among them', () => {
    const { stream, text } = screen({ isTerminal: false });
    const progress = new Progress(stream);
    progress.show(config);
    for (let i = 1; i <= 200; i++) progress.show(step(i));
    const [start, ...lines] = text().trimEnd().split('\n');
    assert.equal(start, '6,400 train examples of 2 labels; 1,234,567 parameters, 200 steps');
    assert.equal(lines.length, 21);
    assert.equal(lines[0], 'step   1/200  loss 2.000 (ce 1.500, distill 0.500)  80 samples/s  1:20 left');
    assert.match(lines.at(-1)!, /^step 200\/200 .* 0:00 left$/);
    assert.ok(!text().includes('\r') && !text().includes('\x1b'));
  });
});

describe('progress of several runs', () => {
  test('says which run it is, and counts each one anew', () => {
    const { stream, text } = screen({ isTerminal: false });
    const progress = new Progress(stream);
    for (const run of [1, 2]) {
      progress.show({ type: 'run', run, runs: 2, seed: 40 + run, folder: `run-${run}` });
      progress.show({ ...config, totalSteps: 1 });
      progress.show({ ...step(1), ms: 400 / run });
    }
    const lines = text().trimEnd().split('\n');
    assert.deepEqual([lines[0], lines[3]], ['Run 1 of 2, seed 41', 'Run 2 of 2, seed 42']);
    assert.match(lines[2]!, / 80 samples\/s/);
    assert.match(lines[5]!, / 160 samples\/s/);
  });
});

describe('progress on a terminal', () => {
  test('redraws one line, at most ten times a second', () => {
    let now = 0;
    const { stream, text } = screen({ isTerminal: true });
    const progress = new Progress(stream, () => now);
    progress.show(config);
    for (let i = 1; i <= 100; i++) {
      progress.show(step(i));
      now += 20;
    }
    assert.equal(text().split('\r').length - 1, 20);
    assert.equal(text().split('\n').length - 1, 1);
  });

  test('is never wider than the terminal', () => {
    for (const columns of [20, 60, 80, 200]) {
      const { stream, text } = screen({ isTerminal: true, columns });
      const progress = new Progress(stream);
      progress.show({ ...config, totalSteps: 123_456 });
      progress.show(step(1));
      const line = text().split('\r').at(-1)!.replace('\x1b[K', '');
      assert.ok(line.length < columns, `${line.length} on ${columns}`);
      assert.equal(line.includes('distill'), columns === 200);
    }
  });

  test('gives way to lines that stay', () => {
    const { stream, text } = screen({ isTerminal: true });
    const progress = new Progress(stream);
    progress.show(step(1));
    progress.show({ type: 'notice', message: 'Take note.' });
    progress.clear();
    assert.ok(text().endsWith('\r\x1b[KTake note.\n'), JSON.stringify(text()));
  });

  test('shows means, not the newest step alone', () => {
    let now = 0;
    const { stream, text } = screen({ isTerminal: true });
    const progress = new Progress(stream, () => (now += 1000));
    progress.show(config);
    progress.show(step(1));
    progress.show({ ...step(2), loss: 3, ms: 1400 });
    assert.match(text(), /step {3}2\/200 {2}loss 2\.100 .* 64 samples\/s {2}1:39 left/);
  });
});

describe('numbers', () => {
  test('durations', () => {
    assert.deepEqual([0, 7.4, 59.6, 750, 3750, -1].map(duration), [
      '0:00',
      '0:07',
      '1:00',
      '12:30',
      '1:02:30',
      '0:00',
    ]);
  });

  test('three significant digits', () => {
    assert.deepEqual([0.12345, 4.567, 812.3, 1234.5].map(significant), ['0.123', '4.57', '812', '1230']);
  });

  test('columns line up', () => {
    const rows = [
      ['', 'n'],
      ['train', count(4000)],
    ];
    assert.equal(table(rows), '           n\ntrain  4,000');
  });
});
