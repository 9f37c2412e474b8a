/** Strings with a value each, for finding those that begin at a place of a text. By UTF-16 code units. */
export class Trie {
  readonly root = 0;
  /** Edges in an open-addressed table: of node × 65536 + code unit (-1: free), and where each leads. */
  #keys = new Float64Array(1024).fill(-1);
  #targets = new Int32Array(1024);
  #edges = 0;
  /** By node; -1: no string ends there. */
  readonly #values: number[] = [-1];

  set(text: string, value: number): void {
    let node = this.root;
    for (let at = 0; at < text.length; at++) node = this.#childOrNew(node, text.charCodeAt(at));
    this.#values[node] = value;
  }

  /** The node that a string leads to; undefined where none of those set begins with it. */
  nodeOf(text: string): number | undefined {
    let node = this.root;
    for (let at = 0; at < text.length; at++) {
      const slot = this.#slot(node, text.charCodeAt(at));
      if (this.#keys[slot] === -1) return undefined;
      node = this.#targets[slot]!;
    }
    return node;
  }

  /**
   * Calls back for each string that begins at an offset of a text, the shortest first.
   * @param from a node: the string goes on there
   */
  eachAt(
    text: string,
    offset: number,
    found: (end: number, value: number) => void,
    from: number = this.root,
  ): void {
    let node = from;
    for (let at = offset; at < text.length; ) {
      const slot = this.#slot(node, text.charCodeAt(at++));
      if (this.#keys[slot] === -1) return;
      node = this.#targets[slot]!;
      const value = this.#values[node]!;
      if (value >= 0) found(at, value);
    }
  }

  #childOrNew(node: number, unit: number): number {
    const slot = this.#slot(node, unit);
    if (this.#keys[slot] !== -1) return this.#targets[slot]!;
    this.#keys[slot] = node * 65536 + unit;
    this.#targets[slot] = this.#values.length;
    this.#values.push(-1);
    if (++this.#edges * 2 > this.#keys.length) this.#grow();
    return this.#values.length - 1;
  }

  /** Where an edge is in the table, or would be. */
  #slot(node: number, unit: number): number {
    const key = node * 65536 + unit;
    const mask = this.#keys.length - 1;
    let hash = Math.imul(node, 0x9e3779b1) ^ Math.imul(unit, 0x85ebca6b);
    hash ^= hash >>> 15;
    let slot = hash & mask;
    while (this.#keys[slot] !== key && this.#keys[slot] !== -1) slot = (slot + 1) & mask;
    return slot;
  }

  #grow(): void {
    const [keys, targets] = [this.#keys, this.#targets];
    this.#keys = new Float64Array(keys.length * 2).fill(-1);
    this.#targets = new Int32Array(keys.length * 2);
    for (const [index, key] of keys.entries()) {
      if (key === -1) continue;
      const slot = this.#slot(Math.floor(key / 65536), key % 65536);
      this.#keys[slot] = key;
      this.#targets[slot] = targets[index]!;
    }
  }
}
