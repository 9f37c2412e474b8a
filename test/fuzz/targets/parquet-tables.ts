import {
  codec,
  dataPage,
  dictionaryPage,
  encoding,
  type PageInit,
  parquetFile,
  parquetType,
  type Struct,
  strings,
  varint,
  zstdFrame,
  zstdSequences,
} from '../../data/parquet/build-parquet.ts';
import type { Random } from '../random.ts';

/** A Parquet file of one column in any encoding, with some numbers that are not true. */
export function randomTable(random: Random, edge: () => bigint): Uint8Array {
  const number = (truth: number): number | bigint => (random.once(12) ? edge() : truth);
  const int = (truth: number): number => Number(BigInt.asIntN(32, BigInt(number(truth))));
  const run = (count: number) => [...varint(BigInt(number(count)) * 2n), random.below(3)];
  const packed = (count: number) => [
    ...varint(BigInt(number(count)) * 2n + 1n),
    ...Array<number>(count).fill(0x55),
  ];
  const deltas = (count: number) => [
    ...varint(BigInt(number(128))),
    ...varint(BigInt(number(4))),
    ...varint(BigInt(number(count))),
    ...varint(BigInt(number(2))),
    ...varint(BigInt(number(2))),
    ...[0, 0, 0, 0].map((width) => int(width) & 255),
    ...Array<number>(random.below(40)).fill(0x11),
  ];
  const rows = random.below(8);
  const texts = strings(...Array.from({ length: rows }, (_, i) => `text ${i % 3}`));
  const of = random.pick(Object.values(encoding));
  const bodies: Record<number, number[]> = {
    [encoding.plain]: texts,
    [encoding.dictionary]: [2, ...run(rows)],
    [encoding.rle]: [2, 0, 0, 0, ...run(rows)],
    [encoding.delta]: deltas(rows),
    [encoding.deltaLengths]: [...deltas(rows), ...texts],
    [encoding.deltaStrings]: [...deltas(rows), ...deltas(rows), ...texts],
    [encoding.split]: texts,
  };
  const optional = random.once(2);
  const levels = random.once(3) ? packed(1) : run(rows);
  const hostile = random.once(5);
  const packing = hostile ? codec.zstd : random.once(6) ? random.pick(Object.values(codec)) : codec.none;
  if (hostile) bodies[of] = hostileFrame(random);
  const body = [
    ...(optional && packing !== codec.zstd ? [int(levels.length) & 255, 0, 0, 0, ...levels] : []),
    ...bodies[of]!,
  ];
  const header = dataPage(body, int(rows), of).header;
  const second: Struct = {
    ...{
      1: int(rows),
      2: int(0),
      3: int(rows),
      4: of,
      5: int(optional ? levels.length : 0),
      6: int(0),
      7: random.once(2),
    },
  };
  const pages: PageInit[] = [
    { bytes: body, header: { ...header, 2: int(body.length), 3: int(body.length) } },
  ];
  if (random.once(3))
    pages[0] = { bytes: body, header: { 1: 3, 2: int(body.length), 3: int(body.length), 8: second } };
  if (random.once(2)) pages.unshift(dictionaryPage(strings('a', 'b', 'c'), int(3)));
  const type = random.once(2) ? parquetType.byteArray : random.pick(Object.values(parquetType));
  return parquetFile({
    rows: number(rows),
    pages,
    type,
    codec: packing,
    schema: [{ 1: type, 2: int(4), 3: optional ? 1 : 0, 4: 'text', ...(random.once(3) && { 6: int(0) }) }],
    metadata: random.once(8) ? { 7: number(100), 9: number(4), 11: number(4) } : {},
  });
}

/** A frame whose sequences may copy much more than there is. */
function hostileFrame(random: Random): number[] {
  const code = (most: number) => (random.once(2) ? most : random.below(most + 2)); // the largest copies most
  const block = zstdSequences(0x7f00 + random.below(0x10000), [code(35), random.below(32), code(52)]);
  for (let times = random.below(3); times > 0; times--) block[random.below(block.length)] = random.below(256);
  return zstdFrame(block, random.below(256));
}
