import type { HostTensor, NativeAddon, NativeSession } from '../contract.ts';
import type { PlannedGraph } from '../plan.ts';
import { createSession, pick } from './sessions.ts';

type Feeds = Record<string, HostTensor>;

/** Computes what graphs are fed of shapes, in sessions on the host. */
export class ShapeFeeds {
  readonly #addon: NativeAddon;
  readonly #sessions = new Map<PlannedGraph, Promise<NativeSession>>();

  constructor(addon: NativeAddon) {
    this.#addon = addon;
  }

  /** What a graph is fed of a batch: what it reads of it, and the shapes that follow from it. */
  async of(graph: PlannedGraph, batch: Feeds): Promise<Feeds> {
    return { ...pick(batch, graph.feeds), ...(await this.shapesOf(graph, batch)) };
  }

  /** The shapes alone; none where the graph computes its own. */
  async shapesOf(graph: PlannedGraph, batch: Feeds): Promise<Feeds> {
    if (!graph.shapes) return {};
    const { model, feeds, outputs } = graph.shapes;
    const made = this.#sessions.get(graph) ?? createSession(this.#addon, model, 'graph of shapes');
    this.#sessions.set(graph, made);
    const binding = (await made).bind({ inputs: [] });
    try {
      return (await binding.run({ feeds: pick(batch, feeds), fetch: outputs })).fetched;
    } finally {
      binding.release();
    }
  }

  release(): void {
    for (const session of this.#sessions.values()) {
      session.then(
        (made) => made.release(),
        () => {}, // never made: nothing to free
      );
    }
  }
}
