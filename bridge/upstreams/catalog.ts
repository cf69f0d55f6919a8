import type { BridgeConfig, RuntimeConfig } from "../../contract/config.ts";
import type { SecretFile } from "../config/secret.ts";
import { clientFailure, type Failure } from "../http/failure.ts";
import type { Metrics } from "../metrics/registry.ts";
import { Listing } from "./listing.ts";
import type { ModelEntry } from "./protocol.ts";
import { Upstream } from "./upstream.ts";

export interface CatalogOptions {
  readonly upstreams: BridgeConfig["upstreams"];
  readonly runtime: Pick<RuntimeConfig, "httpConnections" | "idleHttpConnections">;
  /** Opens the file of a bearer token. */
  readonly openToken: (path: string) => SecretFile;
  readonly metrics: Metrics;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

export type Choice =
  | { readonly kind: "upstream"; readonly upstream: Upstream }
  | { readonly kind: "failure"; readonly failure: Failure };

/** How long `models` waits for an upstream that has been asked before, in milliseconds; what it told or did not tell then serves after it. */
const ASKED_AGAIN_MS = 1_000;

/** All upstreams, and which of them serves a model. */
export class Catalog {
  readonly upstreams: readonly Upstream[];
  readonly #tokens: SecretFile[] = [];
  readonly #byModel = new Map<string, Upstream>();
  /** What upstreams without a list of models in the configuration list themselves: they take what no other upstream names. */
  readonly #listings: readonly Listing[];

  constructor(options: CatalogOptions) {
    this.upstreams = options.upstreams.map((config) => {
      const token = config.tokenFile === undefined ? undefined : options.openToken(config.tokenFile);
      if (token !== undefined) this.#tokens.push(token);
      return new Upstream({
        config,
        token,
        connections: options.runtime.httpConnections[config.name] ?? config.maxConcurrency,
        idleConnections: options.runtime.idleHttpConnections,
        metrics: options.metrics,
        now: options.now,
      });
    });
    for (const upstream of this.upstreams) {
      for (const model of upstream.config.models) {
        // The first upstream in the file that names a model serves it.
        if (!this.#byModel.has(model)) this.#byModel.set(model, upstream);
      }
    }
    this.#listings = this.upstreams
      .filter((upstream) => upstream.config.models.length === 0)
      .map((upstream) => new Listing(upstream, options.now));
  }

  /** Requests that this pod takes at full utilisation. */
  get capacity(): number {
    return this.upstreams.reduce((sum, upstream) => sum + upstream.config.maxConcurrency, 0);
  }

  /** The upstream of a model where that needs no question to an upstream; otherwise undefined, and `find` must be asked. */
  known(model: string): Upstream | undefined {
    const named = this.#byModel.get(model);
    if (named !== undefined) return named;
    return this.#listings.length === 1 ? this.#listings[0]?.upstream : undefined;
  }

  /**
   * The upstream of a model. Several upstreams without lists are told apart by the lists they give themselves; a model in
   * none of these, while all could be asked, does not exist. Waits only for a model that no list names yet.
   */
  async find(model: string): Promise<Choice> {
    const known = this.known(model);
    if (known !== undefined) return { kind: "upstream", upstream: known };
    for (const listing of this.#listings) void listing.ask();
    const upstream =
      this.#listed(model) ??
      (await this.#firstToList(model)) ??
      // One that cannot be asked may be the one that has it: its own answer will say.
      this.#listings.find(({ failed }) => failed)?.upstream;
    if (upstream !== undefined) return { kind: "upstream", upstream };
    const names = [...this.#merged().keys()].join(", ");
    const message = `model: "${model}" is served by no upstream; use one of: ${names}.`;
    return { kind: "failure", failure: clientFailure(404, "model_not_found", message, "model") };
  }

  /**
   * The models of all upstreams; those of one that cannot be asked are the last that it told. Undefined when none could be asked
   * and none is configured by name.
   */
  async models(): Promise<ModelEntry[] | undefined> {
    const asked = this.#listings.map((listing) => {
      const isFirst = listing.models === undefined && !listing.failed;
      const told = listing.ask();
      return { told, waited: isFirst ? told : atMost(ASKED_AGAIN_MS, told) };
    });
    await Promise.all(asked.map(({ waited }) => waited));
    if (this.#merged().size === 0) await Promise.all(asked.map(({ told }) => told));
    const merged = this.#merged();
    if (merged.size === 0 && this.#listings.some(({ failed }) => failed)) return undefined;
    return [...merged.values()];
  }

  /** Applies the ceilings of a runtime file; resolves when none is exceeded any more. */
  async resize(runtime: Pick<RuntimeConfig, "httpConnections" | "idleHttpConnections">): Promise<void> {
    await Promise.all(
      this.upstreams.map((upstream) =>
        upstream.pool.resize(
          runtime.httpConnections[upstream.name] ?? upstream.config.maxConcurrency,
          runtime.idleHttpConnections,
        ),
      ),
    );
  }

  async close(): Promise<void> {
    for (const token of this.#tokens) token.close();
    await Promise.all(this.upstreams.map((upstream) => upstream.pool.close()));
  }

  /** The first upstream that lists the model; one that answers goes before one that only did when it was asked before. */
  #listed(model: string): Upstream | undefined {
    const listings = this.#listings.filter((listing) => listing.lists(model));
    return (listings.find(({ failed }) => !failed) ?? listings[0])?.upstream;
  }

  /** Waits for a list with the model among those that are due; an upstream that failed the last time is not waited for. */
  #firstToList(model: string): Promise<Upstream | undefined> {
    const asked = this.#listings.filter(({ failed }) => !failed);
    const found = asked.map(async (listing) => {
      await listing.ask();
      if (!listing.lists(model)) throw new Error("not listed");
      return listing.upstream;
    });
    return Promise.any(found).catch(() => undefined);
  }

  /** All models by name, those of the configuration first. */
  #merged(): Map<string, ModelEntry> {
    const merged = new Map<string, ModelEntry>();
    for (const [id, upstream] of this.#byModel) {
      merged.set(id, { id, object: "model", created: 0, owned_by: upstream.name });
    }
    for (const { models } of this.#listings) {
      for (const entry of models ?? []) if (!merged.has(entry.id)) merged.set(entry.id, entry);
    }
    return merged;
  }
}

/** Waits no longer than this for a promise that never rejects. */
async function atMost(ms: number, promise: Promise<void>): Promise<void> {
  const { promise: late, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  await Promise.race([promise, late]);
  clearTimeout(timer);
}
