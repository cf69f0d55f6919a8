import { Histogram, type Percentiles } from "./histogram.ts";
import type { Kind, Outcome } from "./outcome.ts";

/** Counts of requests that are over. */
interface Counts {
  readonly finished: number;
  readonly ok: number;
  readonly failed: number;
  /** Failed ones that were cut, see `Failure.cut`. */
  readonly cut: number;
}

interface VersionCounts extends Counts {
  /** When the first and the last HTTP request that this version accepted were sent (milliseconds since the epoch). */
  readonly firstStartMs?: number;
  readonly lastStartMs?: number;
  /** When the last chat that it accepted over a WebSocket was sent. */
  readonly lastAgentStartMs?: number;
  /** Connections that it asked to come back on another one: no fault. */
  readonly askedToReconnect: number;
}

export interface Snapshot extends Counts {
  readonly atMs: number;
  /** Requests that were sent, finished or not. */
  readonly sent: number;
  readonly versions: Readonly<Record<string, VersionCounts>>;
}

interface FailureSample {
  readonly atMs: number;
  readonly kind: Kind;
  readonly version: string;
  readonly reason: string;
  readonly cut: boolean;
  readonly answer?: string;
}

interface Part extends Counts {
  /** From the intended start to the last byte, of answered requests. */
  readonly latencyMs: Percentiles;
  /** From the intended start to the first byte of the body. */
  readonly firstByteMs: Percentiles;
  readonly reasons: Readonly<Record<string, number>>;
}

export interface Report extends Snapshot {
  readonly startedMs: number;
  readonly askedToReconnect: number;
  /** Requests that were not over when the load was stopped, and were given up. */
  readonly unfinished: number;
  /** How late requests were sent: above a few milliseconds the generator itself lacked CPU. */
  readonly lagMs: Percentiles;
  readonly versions: Readonly<Record<string, VersionCounts & Part>>;
  readonly kinds: Readonly<Partial<Record<Kind, Part>>>;
  readonly reasons: Readonly<Record<string, number>>;
  /** The first failures. */
  readonly samples: readonly FailureSample[];
}

const MAX_SAMPLES = 50;

/** What is kept for one version or kind. */
class Group {
  finished = 0;
  failed = 0;
  cut = 0;
  asked = 0;
  firstStartMs: number | undefined;
  lastStartMs: number | undefined;
  lastAgentStartMs: number | undefined;
  readonly latency = new Histogram();
  readonly firstByte = new Histogram();
  readonly reasons = new Map<string, number>();

  add(outcome: Outcome): void {
    const { failure } = outcome;
    this.finished += 1;
    if (outcome.firstByteMs !== undefined) this.firstByte.add(outcome.firstByteMs);
    if (failure === undefined) {
      this.latency.add(outcome.latencyMs);
      return;
    }
    this.failed += 1;
    if (failure.cut) this.cut += 1;
    this.reasons.set(failure.reason, (this.reasons.get(failure.reason) ?? 0) + 1);
  }

  accepted(kind: Kind, startMs: number): void {
    if (kind === "agent") {
      this.lastAgentStartMs = Math.max(this.lastAgentStartMs ?? 0, startMs);
      return;
    }
    this.firstStartMs = Math.min(this.firstStartMs ?? startMs, startMs);
    this.lastStartMs = Math.max(this.lastStartMs ?? 0, startMs);
  }

  counts(): Counts {
    const { finished, failed, cut } = this;
    return { finished, ok: finished - failed, failed, cut };
  }

  part(): Part {
    return {
      ...this.counts(),
      latencyMs: this.latency.percentiles(),
      firstByteMs: this.firstByte.percentiles(),
      reasons: Object.fromEntries(this.reasons),
    };
  }

  version(): VersionCounts {
    return {
      ...this.counts(),
      askedToReconnect: this.asked,
      ...(this.firstStartMs === undefined ? {} : { firstStartMs: this.firstStartMs }),
      ...(this.lastStartMs === undefined ? {} : { lastStartMs: this.lastStartMs }),
      ...(this.lastAgentStartMs === undefined ? {} : { lastAgentStartMs: this.lastAgentStartMs }),
    };
  }
}

/** Adds up outcomes by version and by kind. */
export class Tally {
  readonly #startedMs: number;
  readonly #nowMs: () => number;
  readonly #all = new Group();
  readonly #versions = new Map<string, Group>();
  readonly #kinds = new Map<Kind, Group>();
  readonly #lag = new Histogram();
  readonly #samples: FailureSample[] = [];
  #sent = 0;

  /** @param nowMs Milliseconds since the epoch. */
  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
    this.#startedMs = nowMs();
  }

  get inFlight(): number {
    return this.#sent - this.#all.finished;
  }

  sent(lagMs: number): void {
    this.#sent += 1;
    this.#lag.add(lagMs);
  }

  /** A version has begun to answer a request that was sent at `startMs`. */
  accepted(version: string, kind: Kind, startMs: number): void {
    group(this.#versions, version).accepted(kind, startMs);
  }

  askedToReconnect(version: string): void {
    this.#all.asked += 1;
    group(this.#versions, version).asked += 1;
  }

  finish(outcome: Outcome): void {
    for (const one of [this.#all, group(this.#versions, outcome.version), group(this.#kinds, outcome.kind)])
      one.add(outcome);
    const { failure, kind, version } = outcome;
    if (failure !== undefined && this.#samples.length < MAX_SAMPLES) {
      this.#samples.push({ atMs: this.#nowMs(), kind, version, ...failure });
    }
  }

  snapshot(): Snapshot {
    const versions = [...this.#versions].map(([name, one]) => [name, one.version()] as const);
    return {
      atMs: this.#nowMs(),
      sent: this.#sent,
      ...this.#all.counts(),
      versions: Object.fromEntries(versions),
    };
  }

  report(): Report {
    const versions = [...this.#versions].map(
      ([name, one]) => [name, { ...one.part(), ...one.version() }] as const,
    );
    const kinds = [...this.#kinds].map(([kind, one]) => [kind, one.part()] as const);
    return {
      ...this.snapshot(),
      startedMs: this.#startedMs,
      askedToReconnect: this.#all.asked,
      unfinished: this.inFlight,
      lagMs: this.#lag.percentiles(),
      versions: Object.fromEntries(versions),
      kinds: Object.fromEntries(kinds),
      reasons: Object.fromEntries(this.#all.reasons),
      samples: this.#samples,
    };
  }
}

function group<K>(groups: Map<K, Group>, key: K): Group {
  let found = groups.get(key);
  if (found === undefined) {
    found = new Group();
    groups.set(key, found);
  }
  return found;
}
