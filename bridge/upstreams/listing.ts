import type { ModelEntry } from "./protocol.ts";
import type { Upstream } from "./upstream.ts";

/** How long an upstream's list of models is believed, in milliseconds. */
const LISTED_MS = 30_000;
/** How long an upstream that gave no list is left alone, in milliseconds. */
const FAILED_MS = 3_000;

/** What one upstream last told of its models. What is known serves while the upstream is asked again. */
export class Listing {
  readonly upstream: Upstream;
  readonly #now: () => number;
  #models: readonly ModelEntry[] | undefined;
  #failed = false;
  #dueAtMs = Number.NEGATIVE_INFINITY;
  #asking: Promise<void> | undefined;

  /** @param now Milliseconds since 1970. */
  constructor(upstream: Upstream, now: () => number) {
    this.upstream = upstream;
    this.#now = now;
  }

  /** The last list that could be had; undefined where there was none yet. */
  get models(): readonly ModelEntry[] | undefined {
    return this.#models;
  }

  /** Whether the newest question brought no list. */
  get failed(): boolean {
    return this.#failed;
  }

  lists(model: string): boolean {
    return this.#models?.some((entry) => isModel(entry.id, model)) ?? false;
  }

  /** Asks the upstream if it is time to; resolves when it has told or failed, and at once where it is not asked. Never rejects. */
  ask(): Promise<void> {
    if (this.#asking === undefined && this.#now() >= this.#dueAtMs) {
      this.#asking = this.#ask().finally(() => {
        this.#asking = undefined;
      });
    }
    return this.#asking ?? Promise.resolve();
  }

  async #ask(): Promise<void> {
    try {
      this.#models = await this.upstream.models();
      this.#failed = false;
    } catch {
      this.#failed = true;
    }
    this.#dueAtMs = this.#now() + (this.#failed ? FAILED_MS : LISTED_MS);
  }
}

/** Ollama serves `name` as `name:latest`. */
function isModel(listed: string, asked: string): boolean {
  return listed === asked || listed === `${asked}:latest`;
}
