import { createHash } from 'node:crypto';

/**
 * A dimension before a run: a number, or a monomial over the graph's symbols in canonical form,
 * `"batch"`, `"2*batch*sequence"`. Two dims that are the same string are equal at run time; two that
 * differ may still be. A dim nothing is known of is a symbol of its own (`"?7"`).
 */
export type Dim = number | string;

/** A graph of a few nodes can square a dim again and again: beyond this a product is a symbol of its own. */
const MAX_FACTORS = 32;

function digest(text: string): string {
  return `x${createHash('sha256').update(text).digest('hex').slice(0, 32)}`;
}

interface Monomial {
  coefficient: number;
  symbols: string[];
}

function parse(dim: Dim): Monomial {
  if (typeof dim === 'number') return { coefficient: dim, symbols: [] };
  const factors = dim.split('*');
  const coefficient = /^\d+$/.test(factors[0]!) ? Number(factors.shift()) : 1;
  return { coefficient, symbols: factors };
}

function format({ coefficient, symbols }: Monomial): Dim {
  if (symbols.length === 0 || coefficient === 0) return coefficient;
  const factors = [...symbols].sort().join('*');
  const product = symbols.length > MAX_FACTORS ? `?${digest(factors)}` : factors;
  return coefficient === 1 ? product : `${coefficient}*${product}`;
}

/** A symbol name that cannot be mistaken for a number or a product. */
export function symbol(name: string): Dim {
  const clean = name.replace(/[*\s]/g, '_');
  return /^\d/.test(clean) || clean === '' ? `_${clean}` : clean;
}

/** The number, where there is one, and the symbols whose product a dim is. */
export function factorsOf(dim: Dim): readonly Dim[] {
  const { coefficient, symbols } = parse(dim);
  return coefficient === 1 && symbols.length > 0 ? symbols : [coefficient, ...symbols];
}

export function multiplyDims(dims: readonly Dim[]): Dim {
  const product: Monomial = { coefficient: 1, symbols: [] };
  for (const dim of dims) {
    const { coefficient, symbols } = parse(dim);
    product.coefficient *= coefficient;
    product.symbols.push(...symbols);
  }
  return format(product);
}

/** a / b when b is known to divide a; undefined otherwise. */
export function divideDims(a: Dim, b: Dim): Dim | undefined {
  const numerator = parse(a);
  const denominator = parse(b);
  if (denominator.coefficient === 0 || numerator.coefficient % denominator.coefficient !== 0)
    return undefined;
  const symbols = [...numerator.symbols];
  for (const factor of denominator.symbols) {
    const at = symbols.indexOf(factor);
    if (at < 0) return undefined;
    symbols.splice(at, 1);
  }
  return format({ coefficient: numerator.coefficient / denominator.coefficient, symbols });
}
