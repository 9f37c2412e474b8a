import { isCount, type Part } from './part.ts';

/** How special tokens and token types are put around texts. */
export interface Template {
  single: readonly Piece[];
  pair: readonly Piece[];
}

/** Fixed tokens, or where the first (A) or second (B) text goes. */
export type Piece = { ids: readonly number[]; typeId: number } | { text: 'A' | 'B'; typeId: number };

const text = (id: 'A' | 'B', typeId: number): Piece => ({ text: id, typeId });
const bare: Template = { single: [text('A', 0)], pair: [text('A', 0), text('B', 1)] };

/** By the type a tokenizer.json gives. */
const templates: Readonly<Record<string, (part: Part) => Template>> = {
  TemplateProcessing: fromTemplate,
  BertProcessing: (part) => {
    const [cls, sep] = clsAndSep(part);
    const single = [special(cls, 0), text('A', 0), special(sep, 0)];
    return { single, pair: [...single, text('B', 1), special(sep, 1)] };
  },
  RobertaProcessing: (part) => {
    const [cls, sep] = clsAndSep(part);
    const single = [special(cls, 0), text('A', 0), special(sep, 0)];
    return { single, pair: [...single, special(sep, 0), text('B', 0), special(sep, 0)] };
  },
  ByteLevel: () => bare, // moves offsets only
  Sequence: (part) => {
    const parts = part.parts('processors').filter((each) => each.string('type') !== 'ByteLevel');
    if (parts.length > 1) throw part.bad(`a post-processor of ${parts.length} templates is not supported`);
    return parts[0] ? templateOf(parts[0]) : bare;
  },
};

/**
 * The template that a tokenizer.json's post_processor describes.
 * @throws SesdError SESD_BAD_TOKENIZER when it is of an unknown type or lacks a setting
 */
export function templateOf(part: Part | undefined): Template {
  if (part === undefined) return bare;
  const type = part.string('type');
  if (!Object.hasOwn(templates, type)) {
    throw part.bad(
      `post-processor "${type}" is not supported; known are ${Object.keys(templates).join(', ')}`,
    );
  }
  return templates[type]!(part);
}

/** Number of special tokens in a template. */
export function specialTokens(pieces: readonly Piece[]): number {
  return pieces.reduce((sum, piece) => sum + ('ids' in piece ? piece.ids.length : 0), 0);
}

function fromTemplate(part: Part): Template {
  const known = new Map<string, readonly number[]>();
  const idsOf = (token: string): readonly number[] => {
    const ids = known.get(token) ?? part.part('special_tokens').part(token).list('ids');
    if (!known.has(token) && !ids.every(isCount))
      throw part.bad(`special_tokens.${token}.ids are not all token ids`);
    known.set(token, ids as number[]);
    return ids as number[];
  };
  const pieces = (key: 'single' | 'pair', texts: string) => {
    const found = part.parts(key).map((item) => piece(item, idsOf));
    const named = found.flatMap((each) => ('text' in each ? each.text : [])).sort();
    if (named.join(' and ') !== texts) {
      throw part.bad(`${key} must name the texts ${texts} once, found ${named.join(' and ') || 'none'}`);
    }
    return found;
  };
  return { single: pieces('single', 'A'), pair: pieces('pair', 'A and B') };
}

function piece(item: Part, idsOf: (token: string) => readonly number[]): Piece {
  if (item.has('Sequence')) {
    const sequence = item.part('Sequence');
    const id = sequence.string('id');
    if (id !== 'A' && id !== 'B') throw sequence.wrong('id', 'A or B', id);
    return text(id, sequence.count('type_id'));
  }
  const token = item.part('SpecialToken');
  return { ids: idsOf(token.string('id')), typeId: token.count('type_id') };
}

function clsAndSep(part: Part): [number, number] {
  const id = (key: 'cls' | 'sep'): number => {
    const pair = part.list(key);
    if (!isCount(pair[1])) throw part.wrong(key, 'a token and its id', part.get(key));
    return pair[1];
  };
  return [id('cls'), id('sep')];
}

function special(id: number, typeId: number): Piece {
  return { ids: [id], typeId };
}
