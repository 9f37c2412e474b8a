/** \w of Oniguruma inside a class; by itself it counts superscript digits and fractions of Latin-1 among the words. */
const wordInClass = '\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}';
const word = `${wordInClass}\\xb2\\xb3\\xb9\\xbc-\\xbe`;
/** Classes as the inside of a JavaScript class. */
const classes: Readonly<Record<string, string>> = {
  s: '\\p{White_Space}',
  d: '\\p{Nd}',
  w: wordInClass,
  h: '0-9a-fA-F',
};

/** A regular expression as a tree. Sets are spelled as classes of JavaScript's for flag u; everything else is nodes. */
export type RegexNode =
  /** One code point. */
  | { kind: 'set'; source: string }
  | { kind: 'sequence'; parts: readonly RegexNode[] }
  /** The first that leads to a match. */
  | { kind: 'choice'; parts: readonly RegexNode[] }
  | { kind: 'repeat'; part: RegexNode; least: number; most: number; lazy: boolean }
  /** What has matched is not tried again. */
  | { kind: 'atomic'; part: RegexNode }
  | { kind: 'look'; part: RegexNode; behind: boolean; negated: boolean };

const set = (source: string): RegexNode => ({ kind: 'set', source });
const sequence = (...parts: RegexNode[]): RegexNode => ({ kind: 'sequence', parts });
const choice = (...parts: RegexNode[]): RegexNode => ({ kind: 'choice', parts });
const repeat = (part: RegexNode, least: number, most: number, lazy = false): RegexNode => ({
  ...{ kind: 'repeat', part, least, most, lazy },
});
const ahead = (part: RegexNode): RegexNode => ({ kind: 'look', part, behind: false, negated: false });
const notAhead = (part: RegexNode): RegexNode => ({ kind: 'look', part, behind: false, negated: true });
const behind = (part: RegexNode): RegexNode => ({ kind: 'look', part, behind: true, negated: false });
const notBehind = (part: RegexNode): RegexNode => ({ kind: 'look', part, behind: true, negated: true });

const any = set('[^]');
const newline = set('[\\n]');
const wordSet = set(`[${word}]`);
const wordEdge = choice(
  sequence(notBehind(wordSet), ahead(wordSet)),
  sequence(behind(wordSet), notAhead(wordSet)),
);
const assertions: Readonly<Record<string, RegexNode>> = {
  A: notBehind(any),
  z: notAhead(any),
  Z: ahead(sequence(repeat(newline, 0, 1), notAhead(any))),
  b: wordEdge,
  B: notAhead(wordEdge),
};
/** ^ and $ are of lines; the last line break begins none. */
const lineStart = choice(notBehind(any), sequence(behind(newline), ahead(any)));
const lineEnd = notAhead(set('[^\\n]'));
const controls: Readonly<Record<string, string>> = {
  n: '\n',
  r: '\r',
  t: '\t',
  f: '\f',
  v: '\v',
  a: '\x07',
  e: '\x1b',
};

/**
 * Reads an Oniguruma pattern (Ruby's syntax: ^ and $ are of lines).
 * https://github.com/kkos/oniguruma, doc/RE
 * @throws Error that names what cannot be taken over
 */
export function parseRegex(source: string): RegexNode {
  const reader = new Reader(source);
  const result = reader.alternatives();
  if (!reader.done) throw new Error('an unmatched ")"');
  return result;
}

class Reader {
  readonly #source: string;
  #at = 0;
  #ignoreCase = false;

  constructor(source: string) {
    this.#source = source;
  }

  get done(): boolean {
    return this.#at >= this.#source.length;
  }

  alternatives(): RegexNode {
    const alternatives: RegexNode[] = [];
    let parts: RegexNode[] = [];
    const close = () => {
      alternatives.push(sequence(...parts));
      parts = [];
    };
    while (!this.done && !this.#ahead(')')) {
      if (this.#take('|')) close();
      else parts.push(this.#quantified());
    }
    close();
    return alternatives.length === 1 ? alternatives[0]! : choice(...alternatives);
  }

  #quantified(): RegexNode {
    const atom = this.#atom();
    const quantifier = this.#match(/[*+?]|\{\d*,?\d*\}/y);
    if (quantifier === undefined) return atom ?? sequence();
    // {} and {,} stand for themselves
    if (/^\{,?\}$/.test(quantifier)) return sequence(atom ?? sequence(), ...literal(quantifier));
    if (atom === undefined) throw new Error(`"${quantifier}" with nothing to repeat`);
    const [least, most] = timesOf(quantifier);
    if (most < least) throw new Error(`${quantifier}, from more times to fewer`);
    const interval = quantifier.startsWith('{');
    // Behind an interval + is a repetition of it, and ? behind a fixed one makes it optional.
    if (this.#take('?')) {
      const fixed = interval && !quantifier.includes(',');
      return fixed ? repeat(repeat(atom, least, most), 0, 1) : repeat(atom, least, most, true);
    }
    const repeated = repeat(atom, least, most);
    if (this.#take('+')) {
      return interval ? repeat(repeated, 1, Number.POSITIVE_INFINITY) : { kind: 'atomic', part: repeated };
    }
    if (this.#match(/[*+]|\{\d/y)) throw new Error('a repeated repetition');
    return repeated;
  }

  /** @returns undefined for an option, which matches nothing itself */
  #atom(): RegexNode | undefined {
    const char = this.#next();
    switch (char) {
      case '(':
        return this.#group();
      case '[':
        return set(this.#class());
      case '.':
        return set('[^\\n]');
      case '^':
        return lineStart;
      case '$':
        return lineEnd;
      case '\\':
        return this.#escaped();
      case '*':
      case '+':
      case '?':
        throw new Error(`"${char}" with nothing to repeat`);
      default:
        return this.#literal(char);
    }
  }

  #group(): RegexNode | undefined {
    const start = this.#at - 1;
    const kind = this.#match(/\?(?:[:=!>]|<[=!]|[a-z]*(?:-[a-z]*)?[:)])/y) ?? '';
    if (kind === '' && this.#ahead('?')) throw new Error('a group of an unknown kind');
    const flags = /^\?([a-z-]*)([:)])$/.exec(kind);
    const outside = this.#ignoreCase;
    if (flags) {
      if (flags[1] !== '' && flags[1] !== 'i' && flags[1] !== '-i')
        throw new Error(`the option (?${flags[1]})`);
      if (flags[2] === ')' && start !== 0) throw new Error('an option in the middle');
      if (flags[1] !== '') this.#ignoreCase = flags[1] === 'i';
      if (flags[2] === ')') return undefined; // to the end
    }
    const part = this.alternatives();
    this.#ignoreCase = outside;
    if (!this.#take(')')) throw new Error('an unmatched "("');
    if (kind === '?>') return { kind: 'atomic', part };
    if (/^\?<?[=!]$/.test(kind))
      return { kind: 'look', part, behind: kind.includes('<'), negated: kind.endsWith('!') };
    return part;
  }

  #escaped(): RegexNode {
    const char = this.#next();
    if (Object.hasOwn(assertions, char)) return assertions[char]!;
    if (char === 'w') return wordSet;
    if (char === 'W') return set(`[^${word}]`);
    if (char === 'H') return set(`[^${classes.h}]`);
    const inside = this.#set(char);
    return inside === undefined ? this.#literal(this.#escapedChar(char)) : set(`[${inside}]`);
  }

  /** \s, \p{L} and their like as the inside of a class. */
  #set(char: string): string | undefined {
    const lower = char.toLowerCase();
    if (Object.hasOwn(classes, lower)) {
      if (char === 'W' || char === 'H') throw new Error(`\\${char} inside a class`);
      return char === lower ? classes[lower] : classes[lower]!.replace('\\p', '\\P');
    }
    if (lower !== 'p') return undefined;
    const name = this.#match(/\{\^?\w+\}/y)?.slice(1, -1);
    if (name === undefined) throw new Error(`\\${char} without a property`);
    const negated = (char === 'P') !== name.startsWith('^');
    const property = name.replace('^', '');
    if (this.#ignoreCase && /^L[ltu]$/.test(property))
      throw new Error(`\\p{${property}} under the option (?i)`);
    const spelled = /^[A-Z][a-z]?$/.test(property) ? property : `Script=${property}`;
    return `\\${negated ? 'P' : 'p'}{${spelled}}`;
  }

  #escapedChar(char: string): string {
    if (Object.hasOwn(controls, char)) return controls[char]!;
    const hex =
      (char === 'x' &&
        (this.#match(/\{[0-9a-fA-F]{1,6}\}/y)?.slice(1, -1) ?? this.#match(/[0-9a-fA-F]{2}/y))) ||
      (char === 'u' && this.#match(/[0-9a-fA-F]{4}/y));
    if (hex) return String.fromCodePoint(Number.parseInt(hex, 16));
    if (/[0-9A-Za-z]/.test(char)) throw new Error(`the escape \\${char}`);
    return char;
  }

  /** A class, as JavaScript spells it. */
  #class(): string {
    let result = this.#take('^') ? '^' : '';
    let first = true;
    for (let char = this.#next(); char !== ']' || first; char = this.#next()) {
      first = false;
      if (char === '[') throw new Error('a class inside a class');
      if (char === '&' && this.#ahead('&')) throw new Error('an intersection of classes');
      if (char === '\\') {
        const escaped = this.#next();
        result += this.#set(escaped) ?? literalInClass(this.#escapedChar(escaped));
      } else {
        const range = char === '-' && result !== '' && result !== '^' && !this.#ahead(']');
        if (range && this.#ignoreCase) throw new Error('a range under the option (?i)');
        result += range ? '-' : this.#ignoreCase ? this.#forms(char) : literalInClass(char);
      }
    }
    return `[${result}]`;
  }

  #literal(char: string): RegexNode {
    return set(`[${this.#ignoreCase ? this.#forms(char) : literalInClass(char)}]`);
  }

  /** A character under the option (?i), as the inside of a class. */
  #forms(char: string): string {
    if (!/\p{ASCII}/u.test(char)) throw new Error(`"${char}" under the option (?i)`);
    if (!/[a-zA-Z]/.test(char)) return literalInClass(char);
    // s and k have a third form, the long s and the Kelvin sign
    return { s: 'sSſ', k: 'kK\u212a' }[char.toLowerCase()] ?? char.toLowerCase() + char.toUpperCase();
  }

  #next(): string {
    const point = this.#source.codePointAt(this.#at);
    if (point === undefined) throw new Error('an end too soon');
    const char = String.fromCodePoint(point);
    this.#at += char.length;
    return char;
  }

  #ahead(text: string): boolean {
    return this.#source.startsWith(text, this.#at);
  }

  #take(text: string): boolean {
    const there = this.#ahead(text);
    if (there) this.#at += text.length;
    return there;
  }

  /** Takes what a sticky expression matches here. */
  #match(sticky: RegExp): string | undefined {
    sticky.lastIndex = this.#at;
    const found = sticky.exec(this.#source)?.[0];
    this.#at += found?.length ?? 0;
    return found;
  }
}

/** How often a quantifier lets its atom stand. */
function timesOf(quantifier: string): [least: number, most: number] {
  if (quantifier === '*') return [0, Number.POSITIVE_INFINITY];
  if (quantifier === '+') return [1, Number.POSITIVE_INFINITY];
  if (quantifier === '?') return [0, 1];
  const [least = '', most] = quantifier.slice(1, -1).split(',');
  if (most === undefined) return [Number(least), Number(least)];
  return [Number(least), most === '' ? Number.POSITIVE_INFINITY : Number(most)];
}

/** Text that stands for itself. */
function literal(text: string): RegexNode[] {
  return [...text].map((char) => set(`[${literalInClass(char)}]`));
}

/** A character inside a class, for flag u. */
function literalInClass(char: string): string {
  return char.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
}
