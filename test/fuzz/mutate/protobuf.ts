import { clone, type DescField, type DescMessage, type Message, ScalarType } from '@bufbuild/protobuf';
import type { GenMessage } from '@bufbuild/protobuf/codegenv2';
import type { Random } from '../random.ts';
import { edges, mutateBytes } from './bytes.ts';
import { hostileWords } from './words.ts';

type Fields = Record<string, unknown>;

/** A field of a message somewhere in the tree. */
interface Site {
  message: Fields;
  field: DescField;
}

/**
 * A copy of a message with some of its fields changed: numbers to the edges, strings to other strings of the message
 * (names of values, nodes, operators and files), parts left out, repeated, moved or exchanged for others of their kind.
 * @param words beside the hostile ones
 */
export function mutateMessage<T extends Message>(
  random: Random,
  schema: GenMessage<T>,
  source: T,
  words: readonly string[],
): T {
  const copy = clone(schema, source);
  for (let left = random.few(5); left > 0; left--) {
    const sites: Site[] = [];
    collect(copy as unknown as Fields, schema, sites);
    change(random, random.pick(sites), sites, words);
  }
  return copy;
}

function collect(message: Fields, schema: DescMessage, sites: Site[]): void {
  for (const field of schema.fields) {
    sites.push({ message, field });
    if (field.message === undefined) continue;
    const value = contentOf({ message, field });
    if (field.fieldKind === 'list') for (const each of value as Fields[]) collect(each, field.message, sites);
    else if (value !== undefined) collect(value as Fields, field.message, sites);
  }
}

/** Of alternatives (oneof) the one that is set stands in a property of its own. */
function contentOf({ message, field }: Site): unknown {
  if (field.oneof === undefined) return message[field.localName];
  const chosen = message[field.oneof.localName] as { case?: string; value?: unknown };
  return chosen.case === field.localName ? chosen.value : undefined;
}

function setValue({ message, field }: Site, value: unknown): void {
  if (field.oneof === undefined) message[field.localName] = value;
  else message[field.oneof.localName] = { case: field.localName, value };
}

function change(random: Random, site: Site, sites: readonly Site[], words: readonly string[]): void {
  const { field } = site;
  const alike = () => contentOf(random.pick(sites.filter((other) => other.field === field)));
  if (field.fieldKind === 'list') {
    const list = contentOf(site) as unknown[];
    const element = () => {
      const others = alike() as unknown[];
      if (others.length > 0 && !random.once(3)) return copied(field, random.pick(others));
      return field.message ? undefined : scalar(random, field, undefined, sites, words);
    };
    const fresh = element();
    changeList(random, list, fresh, (value) =>
      field.message ? value : scalar(random, field, value, sites, words),
    );
  } else if (field.message) {
    setValue(site, random.once(3) ? undefined : copied(field, alike()));
  } else setValue(site, scalar(random, field, contentOf(site), sites, words));
}

function changeList(
  random: Random,
  list: unknown[],
  fresh: unknown,
  mutated: (value: unknown) => unknown,
): void {
  const at = random.below(list.length + 1);
  switch (random.below(6)) {
    case 0:
      list.splice(at, 1);
      break;
    case 1:
      if (fresh !== undefined) list.splice(at, 0, fresh);
      break;
    case 2:
      if (fresh !== undefined && at < list.length) list[at] = fresh;
      break;
    case 3:
      if (at < list.length) list.splice(random.below(list.length), 0, ...list.splice(at, 1));
      break;
    case 4:
      if (random.once(4)) list.length = 0;
      break;
    default:
      if (at < list.length) list[at] = mutated(list[at]);
  }
}

function copied(field: DescField, value: unknown): unknown {
  return field.message && value !== undefined ? clone(field.message, value as Message) : value;
}

function scalar(
  random: Random,
  field: DescField,
  value: unknown,
  sites: readonly Site[],
  words: readonly string[],
): unknown {
  switch (field.scalar) {
    case ScalarType.STRING:
      return string(random, sites, words);
    case ScalarType.BYTES:
      return mutateBytes(random, (value as Uint8Array | undefined) ?? new Uint8Array(8));
    case ScalarType.FLOAT:
      return random.pick([0, -0, 1, -1, 1e38, -1e38, 1e-40, Number.NaN, Infinity, -Infinity, 0.5]);
    case ScalarType.INT64:
      return integer(random, value as bigint | undefined);
    default:
      return Number(BigInt.asIntN(32, integer(random, BigInt((value as number | undefined) ?? 0))));
  }
}

function integer(random: Random, value = 0n): bigint {
  if (random.once(3)) return BigInt.asIntN(64, value + random.pick([1n, -1n, 2n, -2n, value]));
  return random.once(3) ? BigInt(random.below(40)) : random.pick(edges);
}

function string(random: Random, sites: readonly Site[], words: readonly string[]): string {
  if (random.once(4)) return random.pick(hostileWords);
  if (random.once(3) && words.length > 0) return random.pick(words);
  const strings = sites.flatMap((site) => {
    if (site.field.scalar !== ScalarType.STRING) return [];
    return (site.field.fieldKind === 'list' ? contentOf(site) : [contentOf(site) ?? '']) as string[];
  });
  return random.pick(strings);
}
