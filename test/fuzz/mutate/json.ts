import type { Random } from '../random.ts';
import { hostileWords } from './words.ts';

/** A place in a tree of JSON: an element of an array or a member of an object. */
interface Site {
  parent: Record<string, unknown>;
  key: string;
}

const numbers = [0, -1, 1, 0.5, 1e9, 2 ** 31, 2 ** 53, -(2 ** 53), 1e308, -1e-308, 10 ** 10, 3.7];

/** A tree of JSON with some of its parts changed, as text: also with keys twice, and deeper than stacks are. */
export function mutateJson(random: Random, source: unknown): string {
  const root: Record<string, unknown> = { root: structuredClone(source) };
  for (let left = random.few(5); left > 0; left--) {
    const sites: Site[] = [];
    collect(root, sites);
    if (sites.length === 0) break; // nothing is left
    change(random, random.pick(sites), sites);
  }
  let text = JSON.stringify(root.root) ?? 'null';
  if (random.once(30)) text = text.replace('null', deep(random));
  if (random.once(30))
    text = text.replace('{', `{"__proto__":${random.pick(['{}', '1', '{"type":"BPE"}', 'null'])},`);
  return text;
}

function collect(parent: object, sites: Site[]): void {
  for (const key of Object.keys(parent)) {
    sites.push({ parent: parent as Record<string, unknown>, key });
    const value = (parent as Record<string, unknown>)[key];
    if (typeof value === 'object' && value !== null) collect(value, sites);
  }
}

function deep(random: Random): string {
  const depth = random.pick([50, 2000, 200_000]);
  const [open, close] = random.pick([
    ['[', ']'],
    ['{"a":', '}'],
  ] as const);
  return `${open.repeat(depth)}1${close.repeat(depth)}`;
}

function change(random: Random, { parent, key }: Site, sites: readonly Site[]): void {
  const other = random.pick(sites);
  const value = parent[key];
  switch (random.below(8)) {
    case 0:
      if (Array.isArray(parent)) parent.splice(Number(key), 1);
      else delete parent[key];
      break;
    case 1:
      parent[key] = structuredClone(other.parent[other.key]);
      break;
    case 2:
      parent[key] = random.pick<unknown>([null, true, false, [], {}, '', [[]], { type: 'BPE' }, [null]]);
      break;
    case 3:
      parent[key] = random.pick(numbers);
      break;
    case 4:
      parent[key] = random.pick(hostileWords);
      break;
    case 5:
      if (Array.isArray(value)) parent[key] = [...value, ...structuredClone(value)].slice(0, 5000);
      else if (typeof value === 'string') parent[key] = value.repeat(random.pick([2, 100])).slice(0, 200_000);
      else if (typeof value === 'number') parent[key] = value + random.pick([1, -1, 0.5]);
      else parent[key] = JSON.stringify(value);
      break;
    case 6:
      if (!Array.isArray(parent)) {
        Object.defineProperty(parent, random.pick([...hostileWords, other.key]), {
          value,
          enumerable: true,
          configurable: true,
          writable: true,
        });
      }
      break;
    default:
      parent[key] = random.once(2) ? [value] : { [key]: value };
  }
}
