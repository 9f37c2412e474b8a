import { SesdError } from '../errors.ts';

/** How special tokens and token types are put around texts. */
export interface Template {
  single: readonly Piece[];
  pair: readonly Piece[];
}

/** Fixed tokens, or where the first (A) or second (B) text goes. */
export type Piece = { ids: readonly number[]; typeId: number } | { text: 'A' | 'B'; typeId: number };

interface ProcessorConfig {
  type: string;
  [key: string]: unknown;
}

type TemplatePiece =
  | { SpecialToken: { id: string; type_id: number } }
  | { Sequence: { id: 'A' | 'B'; type_id: number } };

const text = (id: 'A' | 'B', typeId: number): Piece => ({ text: id, typeId });

/**
 * The template that a tokenizer.json's post_processor describes. The JavaScript library's own gives RoBERTa pairs
 * token types 0 and 1, where the Rust library gives 0 only.
 * @throws SesdError SESD_BAD_TOKENIZER when it is of an unknown type
 */
export function templateOf(processor: unknown, file: string): Template {
  if (processor === null || processor === undefined) {
    return { single: [text('A', 0)], pair: [text('A', 0), text('B', 1)] };
  }
  const config = processor as ProcessorConfig;
  switch (config.type) {
    case 'TemplateProcessing':
      return fromTemplate(config, file);
    case 'BertProcessing': {
      const [cls, sep] = clsAndSep(config, file);
      const single = [special(cls, 0), text('A', 0), special(sep, 0)];
      return { single, pair: [...single, text('B', 1), special(sep, 1)] };
    }
    case 'RobertaProcessing': {
      const [cls, sep] = clsAndSep(config, file);
      const single = [special(cls, 0), text('A', 0), special(sep, 0)];
      return { single, pair: [...single, special(sep, 0), text('B', 0), special(sep, 0)] };
    }
    case 'ByteLevel': // moves offsets only
      return templateOf(null, file);
    case 'Sequence': {
      const parts = (config.processors as ProcessorConfig[]).filter(({ type }) => type !== 'ByteLevel');
      if (parts.length <= 1) return templateOf(parts[0], file);
      throw bad(file, `a post_processor of ${parts.length} templates`);
    }
    default:
      throw bad(file, `post_processor.type "${config.type}"`);
  }
}

/** Number of special tokens in a template. */
export function specialTokens(pieces: readonly Piece[]): number {
  return pieces.reduce((sum, piece) => sum + ('ids' in piece ? piece.ids.length : 0), 0);
}

function fromTemplate(config: ProcessorConfig, file: string): Template {
  const specials = config.special_tokens as Record<string, { ids: number[] }>;
  const piece = (item: TemplatePiece): Piece => {
    if ('Sequence' in item) return text(item.Sequence.id, item.Sequence.type_id);
    const { id, type_id: typeId } = item.SpecialToken;
    const ids = specials[id]?.ids;
    if (!ids) throw bad(file, `post_processor.special_tokens without "${id}"`);
    return { ids, typeId };
  };
  return {
    single: (config.single as TemplatePiece[]).map(piece),
    pair: (config.pair as TemplatePiece[]).map(piece),
  };
}

function clsAndSep(config: ProcessorConfig, file: string): [number, number] {
  const id = (key: 'cls' | 'sep'): number => {
    const value = (config[key] as [string, number] | undefined)?.[1];
    if (typeof value !== 'number') throw bad(file, `post_processor.${key} without an id`);
    return value;
  };
  return [id('cls'), id('sep')];
}

function special(id: number, typeId: number): Piece {
  return { ids: [id], typeId };
}

function bad(file: string, found: string): SesdError {
  return new SesdError('SESD_BAD_TOKENIZER', `${file}: ${found} is not supported`, {
    hint: 'Known are TemplateProcessing, BertProcessing, RobertaProcessing and ByteLevel.',
  });
}
