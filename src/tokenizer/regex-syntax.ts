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
const wordStart = `(?<![${word}])(?=[${word}])`;
const wordEnd = `(?<=[${word}])(?![${word}])`;
const assertions: Readonly<Record<string, string>> = {
  A: '(?<![^])',
  z: '(?![^])',
  Z: '(?=\\n?(?![^]))',
  b: `(?:${wordStart}|${wordEnd})`,
  B: `(?!${wordStart}|${wordEnd})`,
};
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
 * An Oniguruma pattern (Ruby's syntax: ^ and $ are of lines) as a JavaScript one for flag u.
 * https://github.com/kkos/oniguruma, doc/RE
 * @throws Error that names what cannot be translated
 */
export function translateRegex(source: string): string {
  const reader = new Reader(source);
  const result = reader.alternatives();
  if (!reader.done) throw new Error('an unmatched ")"');
  return result;
}

class Reader {
  readonly #source: string;
  #at = 0;
  #ignoreCase = false;
  #possessive = 0;

  constructor(source: string) {
    this.#source = source;
  }

  get done(): boolean {
    return this.#at >= this.#source.length;
  }

  alternatives(): string {
    let result = '';
    while (!this.done && !this.#ahead(')')) {
      result += this.#take('|') ? '|' : this.#quantified();
    }
    return result;
  }

  #quantified(): string {
    const atom = this.#atom();
    const quantifier = this.#match(/[*+?]|\{\d*,?\d*\}/y);
    // {} and {,} stand for themselves
    if (quantifier === undefined || /^\{,?\}$/.test(quantifier)) return atom + literalOf(quantifier ?? '');
    if (atom === '') throw new Error(`"${quantifier}" with nothing to repeat`);
    const repeated = `${atom}${quantifier.replace('{,', '{0,')}`;
    // Behind an interval + is a repetition of it, and ? behind a fixed one makes it optional.
    if (this.#take('?')) return /^\{\d+\}$/.test(quantifier) ? `(?:${repeated})?` : `${repeated}?`;
    if (this.#take('+')) return quantifier.startsWith('{') ? `(?:${repeated})+` : this.#atomic(repeated);
    if (this.#match(/[*+]|\{\d/y)) throw new Error('a repeated repetition');
    return repeated;
  }

  /** What has matched is not tried again: a lookahead of JavaScript does not go back into itself. */
  #atomic(inside: string): string {
    const name = `p${this.#possessive++}`;
    return `(?:(?=(?<${name}>${inside}))\\k<${name}>)`;
  }

  #atom(): string {
    const char = this.#next();
    switch (char) {
      case '(':
        return this.#group();
      case '[':
        return this.#class();
      case '.':
        return '[^\\n]';
      case '^':
        return '(?:(?<![^])|(?<=\\n)(?=[^]))';
      case '$':
        return '(?![^\\n])';
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

  #group(): string {
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
      if (flags[2] === ')') return ''; // to the end
    }
    const inside = this.alternatives();
    this.#ignoreCase = outside;
    if (!this.#take(')')) throw new Error('an unmatched "("');
    if (kind === '?>') return this.#atomic(inside);
    return /^\?<?[=!]$/.test(kind) ? `(${kind}${inside})` : `(?:${inside})`;
  }

  #escaped(): string {
    const char = this.#next();
    if (Object.hasOwn(assertions, char)) return assertions[char]!;
    if (char === 'w') return `[${word}]`;
    if (char === 'W') return `[^${word}]`;
    if (char === 'H') return `[^${classes.h}]`;
    const set = this.#set(char);
    return set === undefined ? this.#literal(this.#escapedChar(char)) : `[${set}]`;
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

  #class(): string {
    let result = this.#take('^') ? '^' : '';
    let first = true;
    for (let char = this.#next(); char !== ']' || first; char = this.#next()) {
      first = false;
      if (char === '[') throw new Error('a class inside a class');
      if (char === '&' && this.#ahead('&')) throw new Error('an intersection of classes');
      if (char === '\\') {
        const escaped = this.#next();
        const set = this.#set(escaped);
        result += set ?? literalInClass(this.#escapedChar(escaped));
      } else {
        const range = char === '-' && result !== '' && result !== '^' && !this.#ahead(']');
        if (range && this.#ignoreCase) throw new Error('a range under the option (?i)');
        result += range ? '-' : this.#ignoreCase ? this.#forms(char) : literalInClass(char);
      }
    }
    return `[${result}]`;
  }

  #literal(char: string): string {
    return this.#ignoreCase ? `[${this.#forms(char)}]` : literalOf(char);
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

/** Literal text for flag u. */
function literalOf(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
}

/** The same inside a class. */
function literalInClass(text: string): string {
  return literalOf(text).replace('-', '\\-');
}
