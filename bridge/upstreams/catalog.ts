import type { BridgeConfig, RuntimeConfig } from "../../contract/config.ts";
import type { SecretFile } from "../config/secret.ts";
import { clientFailure, type Failure } from "../http/failure.ts";
import type { Metrics } from "../metrics/registry.ts";
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

/** How long the upstreams' own lists of models are believed, in milliseconds. */
const LISTED_MS = 30_000;

interface Listing {
  readonly upstream: Upstream;
  /** Undefined where the upstream could not be asked. */
  readonly models: readonly ModelEntry[] | undefined;
}

/** All upstreams, and which of them serves a model. */
export class Catalog {
  readonly upstreams: readonly Upstream[];
  readonly #tokens: SecretFile[] = [];
  readonly #byModel = new Map<string, Upstream>();
  /** Upstreams without a list of models: they take what no other upstream names. */
  readonly #open: readonly Upstream[];
  readonly #now: () => number;
  #listed: { readonly at: number; readonly listings: Promise<Listing[]> } | undefined;

  constructor(options: CatalogOptions) {
    this.#now = options.now;
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
    this.#open = this.upstreams.filter((upstream) => upstream.config.models.length === 0);
  }

  /** Requests that this pod takes at full utilisation. */
  get capacity(): number {
    return this.upstreams.reduce((sum, upstream) => sum + upstream.config.maxConcurrency, 0);
  }

  /** The upstream of a model where that needs no question to an upstream; otherwise undefined, and `find` must be asked. */
  known(model: string): Upstream | undefined {
    const named = this.#byModel.get(model);
    if (named !== undefined) return named;
    return this.#open.length === 1 ? this.#open[0] : undefined;
  }

  /**
   * The upstream of a model. Several upstreams without lists are told apart by the lists they give themselves; a model in
   * none of these, while all could be asked, does not exist.
   */
  async find(model: string): Promise<Choice> {
    const known = this.known(model);
    if (known !== undefined) return { kind: "upstream", upstream: known };
    const listings = this.#open.length === 0 ? [] : await this.#list();
    const listed = listings.find((listing) => listing.models?.some((entry) => isModel(entry.id, model)));
    if (listed !== undefined) return { kind: "upstream", upstream: listed.upstream };
    const silent = listings.find((listing) => listing.models === undefined);
    // One that cannot be asked may be the one that has it: its own answer will say.
    if (silent !== undefined) return { kind: "upstream", upstream: silent.upstream };
    const names = [
      ...this.#byModel.keys(),
      ...listings.flatMap((listing) => (listing.models ?? []).map((entry) => entry.id)),
    ];
    const message = `model: "${model}" is served by no upstream; use one of: ${names.join(", ")}.`;
    return { kind: "failure", failure: clientFailure(404, "model_not_found", message, "model") };
  }

  /** The models of all upstreams. Undefined when none could be asked and none is configured by name. */
  async models(): Promise<ModelEntry[] | undefined> {
    const listings = await this.#list();
    const merged = new Map<string, ModelEntry>();
    for (const [id, upstream] of this.#byModel) {
      merged.set(id, { id, object: "model", created: 0, owned_by: upstream.name });
    }
    for (const { models } of listings) {
      for (const entry of models ?? []) if (!merged.has(entry.id)) merged.set(entry.id, entry);
    }
    if (merged.size === 0 && listings.some((listing) => listing.models === undefined)) return undefined;
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

  #list(): Promise<Listing[]> {
    const listed = this.#listed;
    if (listed !== undefined && this.#now() - listed.at < LISTED_MS) return listed.listings;
    const listings = Promise.all(
      this.#open.map(async (upstream): Promise<Listing> => {
        try {
          return { upstream, models: await upstream.models() };
        } catch {
          return { upstream, models: undefined };
        }
      }),
    );
    const entry = { at: this.#now(), listings };
    this.#listed = entry;
    void listings.then((lists) => {
      // A list that could not be had is asked for again by the next caller.
      if (lists.some((list) => list.models === undefined) && this.#listed === entry) this.#listed = undefined;
    });
    return listings;
  }
}

/** Ollama serves `name` as `name:latest`. */
function isModel(listed: string, asked: string): boolean {
  return listed === asked || listed === `${asked}:latest`;
}
