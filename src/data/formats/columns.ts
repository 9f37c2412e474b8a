import { type ColumnRequest, dataError } from './format.ts';

/** Column names of text pairs, tried in this order before those of single texts. */
const pairNames: readonly (readonly [string, string])[] = [
  ['sentence1', 'sentence2'],
  ['sentence_1', 'sentence_2'],
  ['text1', 'text2'],
  ['text_1', 'text_2'],
  ['text_a', 'text_b'],
  ['text', 'text_pair'],
  ['text', 'pair'],
  ['text', 'text2'],
  ['premise', 'hypothesis'],
  ['question1', 'question2'],
  ['question', 'sentence'],
  ['question', 'answer'],
  ['question', 'passage'],
  ['question', 'context'],
  ['query', 'passage'],
  ['query', 'document'],
];

/** Column names of single texts, the most telling first. */
const textNames: readonly string[] = [
  'text',
  'sentence',
  'review',
  'content',
  'review_text',
  'comment',
  'comment_text',
  'body',
  'tweet',
  'message',
  'utterance',
  'question',
  'query',
  'sentence1',
  'premise',
  'document',
  'description',
  'headline',
  'title',
  'input',
];

const labelNames: readonly string[] = [
  'label',
  'labels',
  'class',
  'category',
  'target',
  'gold_label',
  'sentiment',
  'intent',
  'topic',
  'class_index',
  'class_name',
  'label_text',
  'y',
];

const anyName: ReadonlySet<string> = new Set([...pairNames.flat(), ...textNames, ...labelNames]);
const anyLabelName: ReadonlySet<string> = new Set(labelNames);

/** Case, and spaces or hyphens for underscores, make no difference: "Review Text" is review_text. */
function normalized(name: string): string {
  return name.trim().toLowerCase().replaceAll(/[ -]/g, '_');
}

/**
 * Whether a first row is a header: a cell is the usual name of a text or pair column and another that of a
 * label column; or a cell has a usual name and all cells look like identifiers ("text,id", not "who are you,
 * question").
 */
export function isHeader(cells: readonly string[]): boolean {
  const names = cells.map(normalized);
  const known = names.filter((name) => anyName.has(name));
  if (known.length === 0) return false;
  const labels = known.filter((name) => anyLabelName.has(name)).length;
  if (labels > 0 && labels < known.length) return true;
  return cells.every((cell) => looksLikeName(cell));
}

/** Whether a cell could be a column's name: one word of letters, digits and _ . - that is no number. */
export function looksLikeName(cell: string): boolean {
  return /^[\p{L}_][\p{L}\p{N}_.-]{0,63}$/u.test(cell.trim());
}

/** Where the names stand; a Parquet file has them beside its rows. */
interface Place {
  file: string;
  line: number | undefined;
}

/** Indices into the header, or into a first object's keys. */
export interface ColumnIndices {
  text: number;
  pair: number | undefined;
  label: number | undefined;
}

/**
 * Finds the columns among named ones. A name that was asked for must be there. What was not asked for is found
 * by its usual name; a text or label without a usual name is the one column that is left over, if only one is.
 * A second text is looked for only when neither text was asked for.
 * @param what the file's part that holds the names, for messages: "header" or "first object"
 * @throws SesdError SESD_BAD_DATA listing the columns there are
 */
export function columnsByName(names: readonly string[], request: ColumnRequest, place: Place): ColumnIndices {
  const keys = names.map(normalized);
  const requireLabel = request.requireLabel ?? true;
  const fail = (message: string, hint: string) =>
    dataError(place.file, place.line, `${message}; the columns are ${list(names)}`, { hint });

  const asked = (flag: string, name: string | undefined): number | undefined => {
    if (name === undefined) return undefined;
    const exact = names.findIndex((each) => each.trim() === name.trim());
    const index = exact >= 0 ? exact : keys.indexOf(normalized(name));
    if (index < 0) throw fail(`no column "${name}" (${flag})`, `Give ${flag} one of these names.`);
    return index;
  };

  let text = asked('--text', request.text);
  let pair = asked('--text-pair', request.textPair);
  let label = asked('--label', request.label);
  const taken = () => new Set([text, pair, label]);
  const find = (candidates: readonly string[]) => {
    for (const candidate of candidates) {
      const index = keys.indexOf(candidate);
      if (index >= 0 && !taken().has(index)) return index;
    }
    return undefined;
  };
  const leftOver = () => {
    const left = names.map((_, index) => index).filter((index) => !taken().has(index));
    return left.length === 1 ? left[0] : undefined;
  };

  if (text === undefined && pair === undefined) {
    const found = pairNames.find((both) => both.every((name) => find([name]) !== undefined));
    if (found) [text, pair] = [find([found[0]]), find([found[1]])];
  }
  label ??= find(labelNames);
  text ??= find(textNames) ?? leftOver();
  if (text === undefined) throw fail('cannot tell which column is the text', 'Name it with --text.');
  if (label === undefined && requireLabel) label = leftOver();
  if (label === undefined && requireLabel) {
    throw fail('cannot tell which column is the label', 'Name it with --label.');
  }
  distinct({ text, pair, label }, (index) => names[index] ?? '', place);
  return { text, pair, label };
}

/**
 * The columns of a file without a header: text first, label last, and of three columns the middle one is the
 * second text. One column is a text to predict. Numbers that were asked for replace these.
 * @throws SesdError SESD_BAD_DATA
 */
export function columnsByPosition(
  width: number,
  request: ColumnRequest,
  place: { file: string; line: number },
): ColumnIndices {
  const requireLabel = request.requireLabel ?? true;
  const asked = (flag: string, value: string | undefined): number | undefined => {
    if (value === undefined) return undefined;
    if (Number(value) < width) return Number(value);
    throw dataError(place.file, place.line, `${flag} ${value}: found ${width} columns, counted from 0`, {
      hint: `Give ${flag} a number from 0 to ${width - 1}, or a name from the file's header.`,
    });
  };
  let text = asked('--text', request.text);
  let pair = asked('--text-pair', request.textPair);
  let label = asked('--label', request.label);
  const free = (index: number) => (index === text || index === pair || index === label ? undefined : index);

  if (text === undefined && pair === undefined && label === undefined) {
    if (width > 3) {
      throw dataError(place.file, place.line, `no header that is known, and ${width} columns`, {
        hint: 'Say which columns to read by name (--text headline --label topic) or position (--text 0 --label 3).',
      });
    }
    if (width === 3) pair = 1;
  }
  text ??= free(0);
  if (text === undefined) {
    throw dataError(place.file, place.line, 'cannot tell which column is the text', {
      hint: 'Give its position with --text.',
    });
  }
  label ??= width > 1 ? free(width - 1) : undefined;
  if (label === undefined && requireLabel) {
    const found = width === 1 ? 'found 1 column' : `none of the ${width} columns is left for the label`;
    throw dataError(place.file, place.line, `expected a text and a label, ${found}`, {
      hint: 'Each row needs a label to train or evaluate on; give its column with --label.',
    });
  }
  distinct({ text, pair, label }, (index) => `${index}`, place);
  return { text, pair, label };
}

function distinct({ text, pair, label }: ColumnIndices, name: (index: number) => string, place: Place): void {
  const clash = (a: string, b: string, index: number) =>
    dataError(place.file, place.line, `${a} and ${b} are both the column "${name(index)}"`, {
      hint: `Give ${a} and ${b} different columns.`,
    });
  if (pair === text) throw clash('--text', '--text-pair', text);
  if (label === text) throw clash('--text', '--label', text);
  if (label !== undefined && label === pair) throw clash('--text-pair', '--label', label);
}

function list(names: readonly string[]): string {
  const shown = names.slice(0, 20).map((name) => JSON.stringify(name));
  return names.length > 20 ? `${shown.join(', ')} and ${names.length - 20} more` : shown.join(', ');
}
