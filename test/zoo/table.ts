import { writeFileSync } from 'node:fs';
import type { ZooRecord } from './record.ts';

type Measure = 'fused' | 'stock' | 'reloaded';

type Row = { record: ZooRecord; counts?: Record<string, number>; packed?: boolean } & Partial<
  Record<Measure, number>
>;

/** What the zoo's tests measured, one row a variant. */
export class ZooTable {
  readonly #rows = new Map<string, Row>();

  /** Keeps the largest value of each measure: an encoder is tried with several heads. */
  note(record: ZooRecord, measure: Measure, value: number): void {
    const row = this.#row(record);
    row[measure] = Math.max(row[measure] ?? 0, value);
  }

  /** Keeps how many of each pattern were fused, and whether padding was left out: with one of the heads is enough. */
  noteFused(record: ZooRecord, { fused, packed }: { fused: Record<string, number>; packed: boolean }): void {
    const row = this.#row(record);
    row.counts = fused;
    row.packed ||= packed;
  }

  #row(record: ZooRecord): Row {
    const row = this.#rows.get(record.variant) ?? { record };
    this.#rows.set(record.variant, row);
    return row;
  }

  /** As a table in Markdown. Largest differences are relative to the largest element of each tensor. */
  write(file: string): void {
    const lines = [
      '| variant | exporter | opset | fused: LayerNormalization, GELU, attention, residual | padding left out | gradients, fused | gradients, stock ops | exported and reloaded |',
      '| --- | --- | --: | --- | --- | --: | --: | --: |',
    ];
    for (const [variant, { record, counts, packed, fused, stock, reloaded }] of [...this.#rows].sort(
      byName,
    )) {
      const { route, opset } = record;
      const cells = [
        variant,
        route.exporter,
        opset,
        Object.values(counts ?? {}).join(', '),
        packed ? 'yes' : 'no',
        ...[fused, stock, reloaded].map(scientific),
      ];
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
