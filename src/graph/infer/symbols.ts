import { type Dim, divideDims, multiplyDims } from '../dims.ts';

/** A sum of products of symbols: coefficient by product, constants under ''. */
type LinearForm = Map<string, number>;

/** What is made of more dims than this is taken for a symbol of its own: expressions must not grow with the graph. */
const MAX_PARTS = 32;

function isSymbolic(value: Dim): value is string {
  return typeof value === 'string';
}

/** Whether the value may be no size: a negative number, or a product with a symbol like `~3`, which may be below 1. */
export function maybeNegative(value: Dim): boolean {
  return isSymbolic(value) ? value.includes('~') : value < 0;
}

/** Whether nothing is known of the value but its name. */
export function isUnknown(value: Dim): boolean {
  return isSymbolic(value) && /^[?~][^*]*$/.test(value);
}

/**
 * Arithmetic on the symbolic integers that shape tensors. What has no closed form gets a symbol of its own,
 * `?n`, or `~n` where it may be below 1; the same expression gets the same symbol, so that equal shapes
 * come out as equal strings.
 */
export class Symbols {
  #next = 0;
  readonly #byExpression = new Map<string, string>();
  readonly #linearForms = new Map<string, LinearForm>();
  /** The different dims a broadcast dim stands for. */
  readonly #broadcasts = new Map<Dim, readonly Dim[]>();

  /** Keeps new symbols apart from those in `dims`. */
  avoid(dims: readonly Dim[]): void {
    for (const dim of dims) {
      for (const [, digits] of String(dim).matchAll(/[?~](\d+)/g)) {
        this.#next = Math.max(this.#next, Number(digits) + 1);
      }
    }
  }

  /** The dim that goes by this expression and no other. */
  unknown(expression: string): Dim {
    return this.#named('?', expression);
  }

  /** As unknown, for an element that may be below 1. */
  signed(expression: string): Dim {
    return this.#named('~', expression);
  }

  /** A computed element used as a dim: where it may be negative in principle, the run decides that it is not. */
  asDim(value: Dim): Dim {
    if (!maybeNegative(value)) return value;
    return isSymbolic(value) ? this.unknown(`dim ${value}`) : 0;
  }

  /** The dim two dims broadcast to. */
  broadcast(a: Dim, b: Dim): Dim {
    if (a === b || b === 1) return a;
    if (a === 1) return b;
    if (!isSymbolic(a)) return a;
    if (!isSymbolic(b)) return b;
    const parts = new Set([...(this.#broadcasts.get(a) ?? [a]), ...(this.#broadcasts.get(b) ?? [b])]);
    const sorted = [...parts].sort();
    const result = this.unknown(`broadcast ${sorted.join()}`);
    if (sorted.length <= MAX_PARTS) this.#broadcasts.set(result, sorted);
    return result;
  }

  add(a: Dim, b: Dim): Dim {
    return this.#sum(a, b, 1);
  }

  subtract(a: Dim, b: Dim): Dim {
    return this.#sum(a, b, -1);
  }

  multiply(a: Dim, b: Dim): Dim {
    if (!isSymbolic(a) && !isSymbolic(b)) return a * b;
    if (!isSymbolic(a)) return this.#fromLinear(scaled(this.#linear(b), a));
    if (!isSymbolic(b)) return this.#fromLinear(scaled(this.#linear(a), b));
    return multiplyDims([a, b]);
  }

  /** Integer division, which ONNX rounds towards zero. */
  divide(a: Dim, b: Dim): Dim {
    if (!isSymbolic(a) && !isSymbolic(b)) return b === 0 ? 0 : Math.trunc(a / b);
    if (b === 1) return a;
    const exact = maybeNegative(a) || maybeNegative(b) ? undefined : divideDims(a, b);
    return exact ?? this.signed(`divide ${a} ${b}`);
  }

  modulo(a: Dim, b: Dim): Dim {
    if (!isSymbolic(a) && !isSymbolic(b)) return b === 0 ? 0 : ((a % b) + b) % b;
    return this.signed(`modulo ${a} ${b}`);
  }

  min(a: Dim, b: Dim): Dim {
    if (a === b) return a;
    if (!isSymbolic(a) && !isSymbolic(b)) return Math.min(a, b);
    const order = this.#order(a, b);
    return order === undefined ? this.#opaque('min', ...sortedPair(a, b)) : order < 0 ? a : b;
  }

  max(a: Dim, b: Dim): Dim {
    if (a === b) return a;
    if (!isSymbolic(a) && !isSymbolic(b)) return Math.max(a, b);
    const order = this.#order(a, b);
    return order === undefined ? this.#opaque('max', ...sortedPair(a, b)) : order < 0 ? b : a;
  }

  /** 1 or 0 where it is certain, otherwise a symbol. */
  equal(a: Dim, b: Dim): Dim {
    if (a === b) return 1;
    if (!isSymbolic(a) && !isSymbolic(b)) return 0;
    const order = this.#order(a, b);
    if (order !== undefined && !touchesOne(a, b)) return 0;
    return this.signed(`equal ${sortedPair(a, b).join(' ')}`);
  }

  less(a: Dim, b: Dim): Dim {
    if (a === b) return 0;
    if (!isSymbolic(a) && !isSymbolic(b)) return a < b ? 1 : 0;
    const order = this.#order(a, b);
    if (order !== undefined && !touchesOne(a, b)) return order < 0 ? 1 : 0;
    return this.signed(`less ${a} ${b}`);
  }

  select(condition: Dim, a: Dim, b: Dim): Dim {
    if (a === b) return a;
    if (!isSymbolic(condition)) return condition !== 0 ? a : b;
    return this.#named(maybeNegative(a) || maybeNegative(b) ? '~' : '?', `select ${condition} ${a} ${b}`);
  }

  /** Negative when a ≤ b is certain, positive when b ≤ a is, of a number and a product of symbols. */
  #order(a: Dim, b: Dim): number | undefined {
    if (isSymbolic(a) === isSymbolic(b) || maybeNegative(isSymbolic(a) ? a : b)) return undefined;
    const number = isSymbolic(a) ? (b as number) : (a as number);
    const sign = isSymbolic(a) ? 1 : -1;
    if (number <= 1) return sign;
    return number >= 2 ** 31 - 1 ? -sign : undefined;
  }

  #sum(a: Dim, b: Dim, sign: 1 | -1): Dim {
    if (!isSymbolic(a) && !isSymbolic(b)) return a + sign * b;
    const sum = new Map(this.#linear(a));
    for (const [product, coefficient] of this.#linear(b)) {
      const total = (sum.get(product) ?? 0) + sign * coefficient;
      if (total === 0) sum.delete(product);
      else sum.set(product, total);
    }
    return this.#fromLinear(sum);
  }

  #linear(value: Dim): LinearForm {
    if (!isSymbolic(value)) return new Map(value === 0 ? [] : [['', value]]);
    const known = this.#linearForms.get(value);
    if (known) return known;
    const [, digits, product] = /^(?:(\d+)\*)?(.*)$/.exec(value)!;
    return new Map([[product!, digits === undefined ? 1 : Number(digits)]]);
  }

  #fromLinear(form: LinearForm): Dim {
    if (form.size === 0) return 0;
    const terms = [...form].sort(([a], [b]) => (a < b ? -1 : 1));
    const [product, coefficient] = terms[0]!;
    if (form.size === 1) {
      if (product === '') return coefficient;
      if (coefficient > 0) return multiplyDims([coefficient, product]);
    }
    const positive = terms.every(([term, factor]) => factor > 0 && !term.includes('~'));
    const expression = terms.map(([term, factor]) => `${factor} ${term}`).join(' + ');
    const name = this.#named(positive ? '?' : '~', expression);
    if (form.size <= MAX_PARTS) this.#linearForms.set(name, form);
    return name;
  }

  #opaque(operation: string, a: Dim, b: Dim): Dim {
    return this.#named(maybeNegative(a) || maybeNegative(b) ? '~' : '?', `${operation} ${a} ${b}`);
  }

  #named(prefix: '?' | '~', expression: string): string {
    const key = `${prefix}${expression}`;
    let name = this.#byExpression.get(key);
    if (name === undefined) {
      name = `${prefix}${this.#next++}`;
      this.#byExpression.set(key, name);
    }
    return name;
  }
}

function scaled(form: LinearForm, factor: number): LinearForm {
  if (factor === 0) return new Map();
  return new Map([...form].map(([product, coefficient]) => [product, coefficient * factor]));
}

/** A symbol is at least 1, so it is ordered against 1 but may equal it. */
function touchesOne(a: Dim, b: Dim): boolean {
  return a === 1 || b === 1;
}

function sortedPair(a: Dim, b: Dim): [Dim, Dim] {
  return String(a) < String(b) ? [a, b] : [b, a];
}
