import { performance } from "node:perf_hooks";
import {
  CACHE_LABELS,
  type CacheLabel,
  FAULT_DOMAINS,
  type FaultDomain,
  ROUTE_LABELS,
  type RouteLabel,
} from "../../contract/metrics.ts";
import { countOn, type Metrics, observeOn } from "./registry.ts";
import type { CounterTally, HistogramTally } from "./tally.ts";

type LatencyTally = HistogramTally<"route" | "cache">;

interface Series {
  readonly requests: CounterTally<"route" | "cache">;
  readonly requestSeconds: LatencyTally;
  readonly firstByteSeconds: LatencyTally;
  readonly addedSeconds: LatencyTally;
}

/** Opens accounts and knows how many are open. */
export interface Ledger {
  open(route: RouteLabel): Account;
  /** Accounts that are open now. */
  readonly inFlight: number;
  /** Answers that are being streamed over HTTP now. */
  readonly streams: number;
  streamOpened(): void;
  streamClosed(): void;
  /** Finished requests and errors by domain since the start, for the status page. */
  readonly totals: { readonly requests: number; readonly errors: Readonly<Record<FaultDomain, number>> };
}

/**
 * The account of one request: counted exactly once, when it is closed. Times are milliseconds of the monotonic clock.
 *
 * Added time is what the bridge took besides waiting for others: from the complete request to the call's departure (waiting
 * for a slot of this pod included), and from the upstream's last byte to ours. A latency that the caller did not live to
 * see is observed as the time until it left, which is the least it can have been.
 */
export class Account {
  readonly route: RouteLabel;
  readonly startedAt: number;
  cache: CacheLabel = "off";
  readonly #book: Book;
  #readyAt = 0;
  #sentAt = 0;
  #firstByteAt = 0;
  #upstreamEndAt = 0;
  #repliedAt = 0;
  #closed = false;

  constructor(book: Book, route: RouteLabel) {
    this.#book = book;
    this.route = route;
    this.startedAt = performance.now();
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** The request is complete (its body was read). */
  ready(): void {
    this.#readyAt = performance.now();
  }

  /** The call has left for the upstream. */
  sent(): void {
    this.#sentAt = performance.now();
  }

  /** A body byte goes to the client. */
  firstByte(): void {
    if (this.#firstByteAt === 0) this.#firstByteAt = performance.now();
  }

  /** The upstream's last byte is here. */
  upstreamEnd(): void {
    this.#upstreamEndAt = performance.now();
  }

  /** Our last byte is written. */
  replied(): void {
    this.#repliedAt = performance.now();
  }

  /** Whom the request waits for now, as far as its times tell. That the client does not read the answer, they do not. */
  get awaited(): FaultDomain {
    if (this.#readyAt === 0) return "client";
    return this.#sentAt !== 0 && this.#upstreamEndAt === 0 ? "upstream" : "bridge";
  }

  /** Whole duration up to now, in milliseconds. */
  get durationMs(): number {
    return performance.now() - this.startedAt;
  }

  /** @param domain Whose fault a failed request is; undefined for one that succeeded. */
  close(domain: FaultDomain | undefined): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#book.settle(this.route, this.cache, domain, this.#seconds());
  }

  #seconds(): Seconds {
    const now = performance.now();
    const readyAt = this.#readyAt === 0 ? this.startedAt : this.#readyAt;
    const repliedAt = this.#repliedAt === 0 ? now : this.#repliedAt;
    const away =
      this.#sentAt === 0 ? 0 : (this.#upstreamEndAt === 0 ? repliedAt : this.#upstreamEndAt) - this.#sentAt;
    return {
      whole: (now - this.startedAt) / 1000,
      firstByte: ((this.#firstByteAt === 0 ? now : this.#firstByteAt) - this.startedAt) / 1000,
      added: Math.max(0, repliedAt - readyAt - away) / 1000,
    };
  }
}

interface Seconds {
  readonly whole: number;
  readonly firstByte: number;
  readonly added: number;
}

class Book implements Ledger {
  inFlight = 0;
  streams = 0;
  readonly totals = { requests: 0, errors: { bridge: 0, upstream: 0, client: 0 } };
  readonly #series: Readonly<Record<string, Series>>;
  readonly #errors: Readonly<Record<string, { inc(): void }>>;

  constructor(metrics: Metrics) {
    const series: Record<string, Series> = {};
    const errors: Record<string, { inc(): void }> = {};
    for (const route of ROUTE_LABELS) {
      for (const cache of CACHE_LABELS) {
        const labels = { route, cache };
        series[`${route} ${cache}`] = {
          requests: countOn(metrics, metrics.requests, labels),
          requestSeconds: observeOn(metrics, metrics.requestSeconds, labels),
          firstByteSeconds: observeOn(metrics, metrics.firstByteSeconds, labels),
          addedSeconds: observeOn(metrics, metrics.addedSeconds, labels),
        };
      }
      for (const domain of FAULT_DOMAINS) {
        errors[`${route} ${domain}`] = countOn(metrics, metrics.errors, { route, domain });
      }
    }
    this.#series = series;
    this.#errors = errors;
  }

  open(route: RouteLabel): Account {
    this.inFlight++;
    return new Account(this, route);
  }

  streamOpened(): void {
    this.streams++;
  }

  streamClosed(): void {
    this.streams--;
  }

  settle(route: RouteLabel, cache: CacheLabel, domain: FaultDomain | undefined, seconds: Seconds): void {
    this.inFlight--;
    this.totals.requests++;
    const series = this.#series[`${route} ${cache}`];
    series?.requests.inc();
    series?.requestSeconds.observe(seconds.whole);
    series?.firstByteSeconds.observe(seconds.firstByte);
    series?.addedSeconds.observe(seconds.added);
    if (domain === undefined) return;
    this.totals.errors[domain]++;
    this.#errors[`${route} ${domain}`]?.inc();
  }
}

export function createLedger(metrics: Metrics): Ledger {
  return new Book(metrics);
}
