import type { HostTensor, NativeStash } from '../contract.ts';

type Feeds = Readonly<Record<string, HostTensor>>;

/** What a forward pass leaves for its backward pass: the stash, in native memory, and what it was fed. */
export class KeptForward {
  #kept: { stash: NativeStash; feeds: Feeds } | undefined;

  /** Takes the place of what was kept. @param stash of a run that kept some outputs, so it is there */
  keep(stash: NativeStash | undefined, feeds: Feeds): void {
    this.drop();
    this.#kept = { stash: stash!, feeds };
  }

  /** @throws Error when there was no forward pass since the last backward pass */
  get current(): { stash: NativeStash; feeds: Feeds } {
    if (!this.#kept) throw new Error('backward() needs a forward() before it');
    return this.#kept;
  }

  /** Frees the stash. */
  drop(): void {
    this.#kept?.stash.release();
    this.#kept = undefined;
  }
}
