/**
 * Draws what bench/sweep.ts measured, one SVG for lengths, batch sizes and model sizes each:
 *
 *   node --import tsx bench/plots.ts FOLDER SWEEP.json…
 *
 * Each file is a series: its threads and precision. Bars are how much faster an update is here than with the faster of
 * PyTorch's kinds of attention.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Point } from './sweep.ts';

interface Sweep {
  settings: { threads: number; precision: string };
  points: Point[];
}

const [folder, ...files] = process.argv.slice(2);
if (folder === undefined || files.length === 0) throw new Error('usage: plots.ts FOLDER SWEEP.json…');
const sweeps = files.map((file): Sweep => JSON.parse(readFileSync(file, 'utf8')));

const charts = {
  lengths: {
    title: 'BERT-base, 8 rows, by tokens of a row',
    of: ({ size, batch }: Point) => size === 'base' && batch === 8,
    label: ({ length }: Point) => `${length}`,
  },
  batches: {
    title: 'BERT-base, 64 tokens a row, by rows of a batch',
    of: ({ size, length }: Point) => size === 'base' && length === 64,
    label: ({ batch }: Point) => `${batch}`,
  },
  sizes: {
    title: '8 × 128 tokens, by size of the model',
    of: ({ batch, length }: Point) => batch === 8 && length === 128,
    label: ({ size }: Point) => size,
  },
};

mkdirSync(folder, { recursive: true });
for (const [name, chart] of Object.entries(charts)) {
  const series = sweeps.map(({ settings, points }) => ({
    name: `${settings.precision}, ${settings.threads === 1 ? '1 thread' : `${settings.threads} threads`}`,
    values: new Map(
      points.filter(chart.of).map((point) => [chart.label(point), Math.min(...Object.values(point.speedup))]),
    ),
  }));
  const order = ['tiny', 'mini', 'small', 'base', 'large'];
  const rank = (label: string) => (order.includes(label) ? order.indexOf(label) : Number(label));
  const labels = [...new Set(series.flatMap(({ values }) => [...values.keys()]))].sort(
    (a, b) => rank(a) - rank(b),
  );
  writeFileSync(join(folder, `${name}.svg`), bars(chart.title, labels, series));
}

/** Grouped bars over a line at 1, where both sides are as fast. */
function bars(
  title: string,
  labels: readonly string[],
  series: readonly { name: string; values: ReadonlyMap<string, number> }[],
): string {
  const colors = ['#3b6ea8', '#d9822b', '#5a9a5a', '#8a5aa8'];
  const [left, top, width, height] = [40, 48, 600, 220];
  const most = Math.max(1.2, ...series.flatMap(({ values }) => [...values.values()])) * 1.08;
  const y = (value: number) => top + height * (1 - value / most);
  const group = width / labels.length;
  const bar = (0.8 * group) / series.length;
  const heading = `${title}: speed as a multiple of PyTorch's`;
  const one = y(1).toFixed(1);
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 660 310" font-family="sans-serif" font-size="11">`,
    `<title>${heading}</title>`,
    '<rect width="660" height="310" fill="white"/>',
    `<text x="${left}" y="18" font-size="13">${heading}</text>`,
  ];
  for (const [i, { name, values }] of series.entries()) {
    const fill = colors[i % colors.length]!;
    parts.push(`<rect x="${left + 150 * i}" y="27" width="10" height="10" fill="${fill}"/>`);
    parts.push(`<text x="${left + 14 + 150 * i}" y="36">${name}</text>`);
    for (const [j, label] of labels.entries()) {
      const value = values.get(label);
      if (value === undefined) continue;
      const x = left + group * (j + 0.1) + bar * i;
      const box = `x="${x.toFixed(1)}" y="${y(value).toFixed(1)}" width="${(bar - 1).toFixed(1)}"`;
      parts.push(`<rect ${box} height="${(top + height - y(value)).toFixed(1)}" fill="${fill}"/>`);
      const middle = (x + bar / 2).toFixed(1);
      parts.push(
        `<text x="${middle}" y="${(y(value) - 3).toFixed(1)}" text-anchor="middle">${value.toFixed(2)}</text>`,
      );
    }
  }
  for (const [j, label] of labels.entries())
    parts.push(
      `<text x="${(left + group * (j + 0.5)).toFixed(1)}" y="${top + height + 16}" text-anchor="middle">${label}</text>`,
    );
  parts.push(
    `<line x1="${left}" x2="${left + width}" y1="${one}" y2="${one}" stroke="black" stroke-dasharray="4 3"/>`,
  );
  parts.push(`<text x="${left - 6}" y="${y(1) + 4}" text-anchor="end">1</text>`, '</svg>');
  return `${parts.join('\n')}\n`;
}
