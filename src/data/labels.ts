import { SesdError } from '../errors.ts';
import type { Example } from './example.ts';
import { dataError } from './formats/format.ts';
import type { Target } from './target.ts';

/** The classes of a task: their names in the order of the logits. */
export class LabelMap implements Target {
  readonly names: readonly string[];
  /** Whether data files may also write a class as its index. */
  readonly idsToo: boolean;
  readonly #index: ReadonlyMap<string, number>;

  /** @throws SesdError SESD_BAD_DATA when a name occurs twice */
  constructor(names: readonly string[], { idsToo = false } = {}) {
    this.names = [...names];
    this.idsToo = idsToo;
    const index = new Map(names.map((name, id) => [name, id]));
    if (index.size !== names.length) {
      throw new SesdError('SESD_BAD_DATA', `label names must differ, found ${quoted(names)}`);
    }
    if (idsToo) {
      for (const id of names.keys()) if (!index.has(`${id}`)) index.set(`${id}`, id);
    }
    this.#index = index;
  }

  /**
   * The classes of a training file: those it names, in their order; else those of its examples, in numeric order if
   * all labels are integers, else in code-point order.
   * @param file its name, for messages
   * @param classNames that the file names, whether or not it has an example of each
   * @throws SesdError SESD_BAD_DATA when an example has no label, or all have the same
   */
  static fromExamples(
    examples: readonly Example[],
    file: string,
    classNames: readonly string[] = [],
  ): LabelMap {
    const labels = distinctLabels(examples, file);
    const [only] = labels;
    if (labels.length < 2) {
      throw dataError(file, undefined, `every row has the label ${JSON.stringify(only)}`, {
        hint: 'A classifier needs at least two labels; check --label.',
      });
    }
    const named = new Set(classNames);
    if (named.size === classNames.length && labels.every((label) => named.has(label))) {
      return new LabelMap(classNames);
    }
    return new LabelMap(inNaturalOrder(labels));
  }

  /**
   * The classes a model was made for, when the training file uses them: by name, or all labels being integers
   * that are ids of id2label. Names that say nothing (LABEL_0) give way to the ids.
   * @param id2label of the model's config.json, if it has one
   * @returns undefined when the file's labels are others
   * @throws SesdError SESD_BAD_DATA when an example has no label
   */
  static fromConfig(
    id2label: Readonly<Record<string, string>> | undefined,
    examples: readonly Example[],
    file: string,
  ): LabelMap | undefined {
    const names = namesOf(id2label);
    if (!names) return undefined;
    const labels = distinctLabels(examples, file);
    if (labels.every((label) => names.includes(label))) return new LabelMap(names);
    const ids = names.map((_, id) => `${id}`);
    if (!labels.every((label) => ids.includes(label))) return undefined;
    return names.every((name) => /^LABEL_\d+$/.test(name))
      ? new LabelMap(ids)
      : new LabelMap(names, { idsToo: true });
  }

  /** The class of a label, or undefined when there is none. */
  indexOf(label: string): number | undefined {
    return this.#index.get(label);
  }

  /**
   * Class indices of examples, in their order; −1 for those without a label.
   * @param file the file they came from, for messages
   * @throws SesdError SESD_BAD_DATA naming the line of a label that is not among the classes
   */
  encode(examples: readonly Example[], file: string): Int32Array {
    return Int32Array.from(examples, ({ label, line }) => {
      if (label === undefined) return -1;
      const index = this.indexOf(label);
      if (index !== undefined) return index;
      throw dataError(file, line, `the label ${JSON.stringify(label)} is not one of the model's classes`, {
        hint: `The classes are ${quoted(this.names)}.`,
      });
    });
  }

  /** For config.json. */
  get id2label(): Record<string, string> {
    return Object.fromEntries(this.names.map((name, id) => [`${id}`, name]));
  }

  /** For config.json. */
  get label2id(): Record<string, number> {
    return Object.fromEntries(this.names.map((name, id) => [name, id]));
  }
}

/** The names by id, when the ids are 0, 1, 2, … and the names differ. */
function namesOf(id2label: Readonly<Record<string, string>> | undefined): string[] | undefined {
  if (!id2label) return undefined;
  const names = Object.keys(id2label).map((_, id) => id2label[id]);
  if (names.length < 2 || new Set(names).size !== names.length) return undefined;
  return names.every((name) => typeof name === 'string') ? (names as string[]) : undefined;
}

function distinctLabels(examples: readonly Example[], file: string): string[] {
  const labels = new Set<string>();
  for (const { label, line } of examples) {
    if (label === undefined) throw dataError(file, line, 'the label is missing');
    labels.add(label);
  }
  return [...labels];
}

function inNaturalOrder(labels: string[]): string[] {
  const integers = labels.every((label) => /^-?\d+$/.test(label));
  // UTF-8 sorts by code point; JavaScript strings compare by UTF-16 unit.
  const byCodePoint = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b));
  const byNumber = (a: string, b: string) => {
    const difference = BigInt(a) - BigInt(b);
    return difference < 0n ? -1 : difference > 0n ? 1 : byCodePoint(a, b);
  };
  return [...labels].sort(integers ? byNumber : byCodePoint);
}

function quoted(names: readonly string[]): string {
  const shown = names.slice(0, 20).map((name) => JSON.stringify(name));
  return names.length > 20 ? `${shown.join(', ')} and ${names.length - 20} more` : shown.join(', ');
}
