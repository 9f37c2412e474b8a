import type { Match } from './pattern.ts';
import type { Program } from './regex-program.ts';

/**
 * Steps for a text, and for each code unit of it: known tokenizers' patterns take 23 a unit at most. A normalizer may have many
 * expressions and a file many texts, so that one of them is given up well before it takes seconds.
 */
const baseSteps = 2_000_000;
const stepsPerUnit = 64;
/** Outcomes that are kept, of four bytes each. */
const mostOutcomes = 2 ** 25;

/** An expression that takes too long on a text. */
export class StepLimitError extends Error {}

/** What came of a split at a place of a text, beside the end of a match. */
const FAILED = -1;
const UNTRIED = -2;

/** Which splits were tried at which places of a text. */
interface Tried {
  /** What to take it costs, in steps. */
  readonly cost: number;
  /** @returns what came of it, UNTRIED the first time only: from then on it has failed, unless the search ends well */
  take(split: number, at: number): number;
}

/**
 * Searches a text for what a program matches, as a backtracking matcher does: the first alternative that leads to a
 * match counts. What did not lead to one from a place never will, so it is tried there once: the time is of the order
 * of steps times text, however the expression is nested (Cox, "Regular Expression Matching in the Wild", BitState).
 * So it is inside of atomic groups and looks ahead, of which also what did lead to a match is kept. Looks behind begin
 * anew each time they are met; a limit of steps bounds those.
 */
export class RegexSearch {
  readonly #program: Program;
  readonly #text: string;
  readonly #tried: TriedPlaces;
  readonly #outcomes: Outcomes;
  /** Steps and places to go back to. */
  readonly #stack: number[] = [];
  #stepsLeft: number;

  constructor(program: Program, text: string) {
    this.#program = program;
    this.#text = text;
    this.#tried = new TriedPlaces(program.splits, text.length + 1);
    this.#outcomes = new Outcomes(text.length + 1);
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
    const run = tried === this.#outcomes ? new Run() : undefined;
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
        case 'split': {
          const outcome = tried.take(current.id, at);
          this.#stepsLeft -= tried.cost;
          if (outcome >= 0) {
            stack.length = bottom;
            this.#outcomes.settle(run!, outcome);
            return outcome;
          }
          if (outcome === FAILED) {
            failed = true;
            run?.meet(current.id, at);
          } else {
            run?.go(current.id, at);
            stack.push(current.second, at, run?.way.length ?? 0);
            now = current.first;
          }
          break;
        }
        case 'jump':
          now = current.to;
          break;
        case 'atomic': {
          const end = this.#run(now + 1, at, this.#outcomes);
          if (end < 0) failed = true;
          else {
            at = end;
            now = current.next;
          }
          break;
        }
        case 'ahead':
          if (this.#run(now + 1, at, this.#outcomes) >= 0 === current.negated) failed = true;
          else now = current.next;
          break;
        case 'behind':
          if (this.#isBehind(now + 1, at, current) === current.negated) failed = true;
          else now = current.next;
          break;
        case 'end':
          if (wanted < 0 || at === wanted) {
            stack.length = bottom;
            if (run) this.#outcomes.settle(run, at);
            return at;
          }
          failed = true;
      }
      if (!failed) continue;
      if (stack.length === bottom) return -1;
      const way = stack.pop()!;
      run?.backTo(way);
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
  readonly cost = 0;
  readonly #bits: Uint8Array;
  readonly #stride: number;

  constructor(splits: number, places: number) {
    this.#stride = (splits + 7) >> 3;
    this.#bits = new Uint8Array(this.#stride * places);
  }

  take(split: number, at: number): number {
    const index = at * this.#stride + (split >> 3);
    const bit = 1 << (split & 7);
    if ((this.#bits[index]! & bit) !== 0) return FAILED;
    this.#bits[index]! |= bit;
    return UNTRIED;
  }

  forget(at: number): void {
    this.#bits.fill(0, at * this.#stride, (at + 1) * this.#stride);
  }
}

/** The splits and places that a search inside of an atomic group or look went through. */
class Run {
  /** Those on the way taken, each followed by its place. */
  readonly way: number[] = [];
  readonly tried: number[] = [];
  /** Whether it came back, with nothing matched, to where it was. */
  cameBack = false;

  go(split: number, at: number): void {
    this.way.push(split, at);
    this.tried.push(split, at);
  }

  /** A split that has failed, or will unless the way taken leads on from it. */
  meet(split: number, at: number): void {
    const { way } = this;
    for (let i = way.length - 2; i >= 0 && way[i + 1] === at; i -= 2) this.cameBack ||= way[i] === split;
  }

  backTo(length: number): void {
    this.way.length = length;
  }
}

/** What came of the splits inside of atomic groups and looks ahead, for the whole of a text. */
class Outcomes implements Tried {
  readonly cost = 1;
  readonly #places: number;
  /** By split and place: 0 for UNTRIED, else the outcome: FAILED, or a match's end + 1. Most groups have no split. */
  readonly #known: (Int32Array | undefined)[] = [];
  #kept = 0;

  constructor(places: number) {
    this.#places = places;
  }

  take(split: number, at: number): number {
    let known = this.#known[split];
    if (!known) {
      this.#kept += this.#places;
      if (this.#kept > mostOutcomes) throw new StepLimitError('it takes too much memory on a text');
      known = new Int32Array(this.#places);
      this.#known[split] = known;
    }
    const outcome = known[at]!;
    if (outcome > 0) return outcome - 1;
    if (outcome === FAILED) return FAILED;
    known[at] = FAILED;
    return UNTRIED;
  }

  /**
   * A search came to the end of a match. If it also came back to where it was, what it left on its way counts as not
   * tried: that may have failed by this alone.
   */
  settle({ way, tried, cameBack }: Run, end: number): void {
    const set = (pairs: readonly number[], outcome: number) => {
      for (let i = 0; i < pairs.length; i += 2) this.#known[pairs[i]!]![pairs[i + 1]!] = outcome;
    };
    if (cameBack) set(tried, 0);
    set(way, end + 1);
  }
}

/** For a look behind at one place. */
class TriedHere implements Tried {
  readonly cost = 10;
  readonly #places: Set<number>[] = [];

  take(split: number, at: number): number {
    let places = this.#places[split];
    if (!places) {
      places = new Set();
      this.#places[split] = places;
    }
    if (places.has(at)) return FAILED;
    places.add(at);
    return UNTRIED;
  }
}

function widthAt(text: string, at: number): number {
  return (text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1;
}

function widthBefore(text: string, at: number): number {
  return at > 1 && (text.codePointAt(at - 2) ?? 0) > 0xffff ? 2 : 1;
}
