import { writeFileSync } from 'node:fs';
import type { ZooRecord } from './record.ts';

type Measure = 'fused' | 'stock' | 'reloaded';

/** What the zoo's tests measured, one row a variant. */
export class ZooTable {
  readonly #rows = new Map<string, { record: ZooRecord } & Partial<Record<Measure, number>>>();

  /** Keeps the largest value of each measure: an encoder is tried with several heads. */
  note(record: ZooRecord, measure: Measure, value: number): void {
    const row = this.#rows.get(record.variant) ?? { record };
    row[measure] = Math.max(row[measure] ?? 0, value);
    this.#rows.set(record.variant, row);
  }

  /** As a table in Markdown. Largest differences are relative to the largest element of each tensor. */
  write(file: string): void {
    const lines = [
      '| variant | exporter | opset | fused: LayerNormalization, GELU, attention, residual | gradients, fused | gradients, stock ops | exported and reloaded |',
      '| --- | --- | --: | --- | --: | --: | --: |',
    ];
    for (const [variant, { record, fused, stock, reloaded }] of [...this.#rows].sort(byName)) {
      const { route, opset, patterns } = record;
      const counts = Object.values(patterns ?? {}).join(', ');
      const cells = [variant, route.exporter, opset, counts, ...[fused, stock, reloaded].map(scientific)];
      lines.push(`| ${cells.join(' | ')} |`);
    }
    writeFileSync(file, `${lines.join('\n')}\n`);
  }
}

function byName([a]: [string, unknown], [b]: [string, unknown]): number {
  return a < b ? -1 : 1;
}

function scientific(value: number | undefined): string {
  return value === undefined ? '' : value.toExponential(1);
}
