import { CodePointSet } from './code-point-set.ts';
import type { RegexNode } from './regex-syntax.ts';

/** A step of a program. What follows it is the step after, unless it says otherwise. */
export type Step =
  | { op: 'set'; set: CodePointSet }
  /** Tries `first`, and `second` where that leads to no match. `id` counts these steps. */
  | { op: 'split'; id: number; first: number; second: number }
  | { op: 'jump'; to: number }
  /** Goes on at `next`, behind what the steps from the next one to their `end` match, never to try them again. */
  | { op: 'atomic'; next: number }
  /** Goes on at `next` if what the steps from the next one to their `end` match lies ahead. */
  | { op: 'ahead'; next: number; negated: boolean }
  /** The same of what lies behind, `least` to `most` code points of it. */
  | { op: 'behind'; next: number; negated: boolean; least: number; most: number }
  | { op: 'end' };

export interface Program {
  steps: readonly Step[];
  splits: number;
}

/** Tokenizers have a hundred steps; matching takes time and memory by their number. */
const mostSteps = 1000;
/** Code points that Oniguruma looks back. */
const farthestBehind = 255;

/** @throws Error when the expression is too large, or looks back without an end */
export function compileProgram(root: RegexNode): Program {
  const compiler = new Compiler();
  compiler.compile(root);
  compiler.add({ op: 'end' });
  return { steps: compiler.steps, splits: compiler.splits };
}

class Compiler {
  readonly steps: Step[] = [];
  splits = 0;
  readonly #sets = new Map<string, CodePointSet>();

  add<S extends Step>(step: S): S {
    if (this.steps.length >= mostSteps) throw new Error(`more than ${mostSteps} steps`);
    this.steps.push(step);
    return step;
  }

  compile(node: RegexNode): void {
    switch (node.kind) {
      case 'set':
        this.add({ op: 'set', set: this.#setOf(node.source) });
        break;
      case 'sequence':
        for (const part of node.parts) this.compile(part);
        break;
      case 'choice':
        this.#choice(node.parts);
        break;
      case 'repeat':
        this.#repeat(node);
        break;
      case 'atomic':
        this.#inner(this.add({ op: 'atomic', next: 0 }), node.part);
        break;
      case 'look':
        this.#look(node);
        break;
    }
  }

  #choice(parts: readonly RegexNode[]): void {
    const jumps: { to: number }[] = [];
    for (const [index, part] of parts.entries()) {
      const split = index + 1 < parts.length ? this.#split() : undefined;
      if (split) split.first = this.steps.length;
      this.compile(part);
      if (!split) continue;
      jumps.push(this.add({ op: 'jump', to: 0 }));
      split.second = this.steps.length;
    }
    for (const jump of jumps) jump.to = this.steps.length;
  }

  #repeat({ part, least, most, lazy }: RegexNode & { kind: 'repeat' }): void {
    const leave = (split: { first: number; second: number }, inside: number, outside: number) => {
      split.first = lazy ? outside : inside;
      split.second = lazy ? inside : outside;
    };
    for (let times = 0; times < least; times++) this.compile(part);
    if (most === Number.POSITIVE_INFINITY) {
      const start = this.steps.length;
      const split = this.#split();
      this.compile(part);
      this.add({ op: 'jump', to: start });
      leave(split, start + 1, this.steps.length);
      return;
    }
    const splits: { inside: number; split: { first: number; second: number } }[] = [];
    for (let times = least; times < most; times++) {
      splits.push({ inside: this.steps.length + 1, split: this.#split() });
      this.compile(part);
    }
    for (const { inside, split } of splits) leave(split, inside, this.steps.length);
  }

  #look({ part, behind, negated }: RegexNode & { kind: 'look' }): void {
    if (!behind) {
      this.#inner(this.add({ op: 'ahead', next: 0, negated }), part);
      return;
    }
    const { least, most } = lengthOf(part);
    if (most > farthestBehind) throw new Error(`a look behind of more than ${farthestBehind} characters`);
    this.#inner(this.add({ op: 'behind', next: 0, negated, least, most }), part);
  }

  #inner(step: { next: number }, part: RegexNode): void {
    this.compile(part);
    this.add({ op: 'end' });
    step.next = this.steps.length;
  }

  #split(): { first: number; second: number } {
    return this.add({ op: 'split', id: this.splits++, first: 0, second: 0 });
  }

  #setOf(source: string): CodePointSet {
    let set = this.#sets.get(source);
    if (!set) {
      set = new CodePointSet(source);
      this.#sets.set(source, set);
    }
    return set;
  }
}

/** How many code points an expression matches. */
function lengthOf(node: RegexNode): { least: number; most: number } {
  switch (node.kind) {
    case 'set':
      return { least: 1, most: 1 };
    case 'look':
      return { least: 0, most: 0 };
    case 'atomic':
      return lengthOf(node.part);
    case 'repeat': {
      const { least, most } = lengthOf(node.part);
      return { least: least * node.least, most: most === 0 ? 0 : most * node.most };
    }
    case 'sequence': {
      const lengths = node.parts.map(lengthOf);
      return {
        least: lengths.reduce((sum, { least }) => sum + least, 0),
        most: lengths.reduce((sum, { most }) => sum + most, 0),
      };
    }
    case 'choice': {
      const lengths = node.parts.map(lengthOf);
      return {
        least: Math.min(...lengths.map(({ least }) => least)),
        most: Math.max(...lengths.map(({ most }) => most)),
      };
    }
  }
}
