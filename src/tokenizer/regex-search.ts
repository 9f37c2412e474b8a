import type { Match } from './pattern.ts';
import type { Program } from './regex-program.ts';

/** Steps for a text, and for each code unit of it. */
const baseSteps = 5_000_000;
const stepsPerUnit = 1000;

/** An expression that takes too long on a text. */
export class StepLimitError extends Error {}

/** Which splits were tried at which places of a text. */
interface Tried {
  /** @returns whether it is the first time */
  first(split: number, at: number): boolean;
}

/**
 * Searches a text for what a program matches, as a backtracking matcher does: the first alternative that leads to a
 * match counts. What did not lead to one from a place never will, so it is tried there once: the time is of the order
 * of steps times text, however the expression is nested (Cox, "Regular Expression Matching in the Wild", BitState).
 * Inside of looks and atomic groups that is so each time they are met; a limit of steps bounds those.
 */
export class RegexSearch {
  readonly #program: Program;
  readonly #text: string;
  readonly #tried: TriedPlaces;
  /** Steps and places to go back to. */
  readonly #stack: number[] = [];
  #stepsLeft: number;

  constructor(program: Program, text: string) {
    this.#program = program;
    this.#text = text;
    this.#tried = new TriedPlaces(program.splits, text.length + 1);
    this.#stepsLeft = baseSteps + stepsPerUnit * text.length;
  }

  /**
   * The first match that begins at `from` or after.
   * @param from not before the end of the match before
   * @throws StepLimitError
   */
  next(from: number): Match | undefined {
    // Where the match before ended, some splits led to it; whatever was tried further on has failed.
    this.#tried.forget(from);
    for (let start = from; start <= this.#text.length; start += widthAt(this.#text, start)) {
      const end = this.#run(0, start, this.#tried);
      if (end >= 0) return { start, end };
    }
    return undefined;
  }

  /** @returns where what the steps from `step` to their end match ends (at `wanted`, if given), or −1 */
  #run(step: number, start: number, tried: Tried, wanted = -1): number {
    const { steps } = this.#program;
    const text = this.#text;
    const stack = this.#stack;
    const bottom = stack.length;
    let at = start;
    let now = step;
    for (;;) {
      if (--this.#stepsLeft < 0) throw new StepLimitError('it takes too long on a text');
      const current = steps[now]!;
      let failed = false;
      switch (current.op) {
        case 'set': {
          const code = text.codePointAt(at);
          if (code === undefined || !current.set.has(code)) failed = true;
          else {
            at += code > 0xffff ? 2 : 1;
            now++;
          }
          break;
        }
        case 'split':
          if (!tried.first(current.id, at)) failed = true;
          else {
            stack.push(current.second, at);
            now = current.first;
          }
          break;
        case 'jump':
          now = current.to;
          break;
        case 'atomic': {
          const end = this.#run(now + 1, at, new TriedHere());
          if (end < 0) failed = true;
          else {
            at = end;
            now = current.next;
          }
          break;
        }
        case 'ahead':
          if (this.#run(now + 1, at, new TriedHere()) >= 0 === current.negated) failed = true;
          else now = current.next;
          break;
        case 'behind':
          if (this.#isBehind(now + 1, at, current) === current.negated) failed = true;
          else now = current.next;
          break;
        case 'end':
          if (wanted < 0 || at === wanted) {
            stack.length = bottom;
            return at;
          }
          failed = true;
      }
      if (!failed) continue;
      if (stack.length === bottom) return -1;
      at = stack.pop()!;
      now = stack.pop()!;
    }
  }

  #isBehind(step: number, at: number, { least, most }: { least: number; most: number }): boolean {
    let start = at;
    for (let length = 0; length <= most; length++) {
      if (length >= least && this.#run(step, start, new TriedHere(), at) >= 0) return true;
      if (start === 0) return false;
      start -= widthBefore(this.#text, start);
    }
    return false;
  }
}

/** For the whole of a text: a bit a split and place. */
class TriedPlaces implements Tried {
  readonly #bits: Uint8Array;
  readonly #stride: number;

  constructor(splits: number, places: number) {
    this.#stride = (splits + 7) >> 3;
    this.#bits = new Uint8Array(this.#stride * places);
  }

  first(split: number, at: number): boolean {
    const index = at * this.#stride + (split >> 3);
    const bit = 1 << (split & 7);
    if ((this.#bits[index]! & bit) !== 0) return false;
    this.#bits[index]! |= bit;
    return true;
  }

  forget(at: number): void {
    this.#bits.fill(0, at * this.#stride, (at + 1) * this.#stride);
  }
}

/** For a look or an atomic group at one place, most of which try nothing. */
class TriedHere implements Tried {
  readonly #places: Set<number>[] = [];

  first(split: number, at: number): boolean {
    let places = this.#places[split];
    if (!places) {
      places = new Set();
      this.#places[split] = places;
    }
    if (places.has(at)) return false;
    places.add(at);
    return true;
  }
}

function widthAt(text: string, at: number): number {
  return (text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1;
}

function widthBefore(text: string, at: number): number {
  return at > 1 && (text.codePointAt(at - 2) ?? 0) > 0xffff ? 2 : 1;
}
