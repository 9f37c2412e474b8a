/** Code points below this are looked up; the others are asked of the regular expression. */
const looked = 0x10000;
const asked = { unknown: 0, outside: 1, inside: 2 } as const;

/** The code points of a class of JavaScript's regular expressions, e.g. `[^\p{L}]`. */
export class CodePointSet {
  readonly #regex: RegExp;
  readonly #answers = new Uint8Array(128);
  #wide: Uint8Array | undefined;

  /** @throws SyntaxError when the class is none */
  constructor(source: string) {
    this.#regex = new RegExp(source, 'u');
  }

  has(code: number): boolean {
    if (code >= looked) return this.#regex.test(String.fromCodePoint(code));
    let answers: Uint8Array = this.#answers;
    if (code >= answers.length) {
      this.#wide ??= new Uint8Array(looked);
      answers = this.#wide;
    }
    if (answers[code] === asked.unknown) {
      answers[code] = this.#regex.test(String.fromCharCode(code)) ? asked.inside : asked.outside;
    }
    return answers[code] === asked.inside;
  }
}
