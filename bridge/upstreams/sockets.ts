import { performance } from "node:perf_hooks";
import Client from "undici/lib/dispatcher/client.js";
import { countOn, declarePool, type Metrics, observeOn } from "../metrics/registry.ts";
import type { CounterTally, HistogramTally } from "../metrics/tally.ts";

/** One place for a connection to an upstream: an undici Client, which opens a socket when it is first used and again after a loss. */
export interface Slot {
  readonly client: InstanceType<typeof Client>;
  connected: boolean;
  busy: boolean;
  /** Released after an abort, but its socket is not closed yet. */
  closing: boolean;
  retired: boolean;
}

export type Refusal = "full" | "timeout" | "closed";

/** A caller that waits for a slot. Exactly one of the two is called, unless it leaves. */
export interface Waiter {
  granted(slot: Slot): void;
  refused(reason: Refusal): void;
}

export interface SocketPoolOptions {
  /** Name of the upstream; the pool's label is `http-<name>`. */
  readonly upstream: string;
  /** Scheme, host and port. */
  readonly origin: string;
  readonly connectMs: number;
  /** Calls to this upstream at once (UpstreamConfig.maxConcurrency). */
  readonly maxConcurrency: number;
  /** Sockets at once; runtime.json changes it. */
  readonly connections: number;
  /** Sockets kept open without a call. */
  readonly idleConnections: number;
  /** Callers that may wait; the next one is refused as `full`. */
  readonly queueLength: number;
  /** How long a caller waits before it is refused as `timeout`, in milliseconds. */
  readonly queueMs: number;
  readonly metrics: Metrics;
}

export interface SocketPoolStats {
  readonly pool: string;
  readonly limit: number;
  readonly size: number;
  readonly idle: number;
  readonly waiting: number;
}

/** Idle sockets end after this, below the 5 s at which many model servers close theirs, so that we are the side that closes. */
const IDLE_MS = 4_000;

interface Queued {
  readonly since: number;
  readonly timer: NodeJS.Timeout;
}

/**
 * The sockets to one upstream, with the limit on calls at once and the queue in front of it.
 * One socket carries one call at a time (no pipelining: a long answer would block the next), so one limit serves both.
 * undici's own Pool has an unbounded queue, a fixed size and no notice of closing; this one refuses, resizes, and says when a
 * lower limit is really in force.
 */
export class SocketPool {
  readonly name: string;
  readonly #options: SocketPoolOptions;
  readonly #slots = new Set<Slot>();
  /** Free slots, the most recently used last: hot sockets stay hot, the others idle out. */
  readonly #free: Slot[] = [];
  readonly #queue = new Map<Waiter, Queued>();
  #connections: number;
  #idleConnections: number;
  #busy = 0;
  #connected = 0;
  #closed = false;
  #shrunk: Array<() => void> = [];
  readonly #hit: CounterTally<"pool" | "result">;
  readonly #miss: CounterTally<"pool" | "result">;
  readonly #waited: HistogramTally<"pool">;

  constructor(options: SocketPoolOptions) {
    this.name = `http-${options.upstream}`;
    this.#options = options;
    this.#connections = options.connections;
    this.#idleConnections = options.idleConnections;
    const { metrics } = options;
    declarePool(metrics, this.name);
    this.#hit = countOn(metrics, metrics.poolAcquires, { pool: this.name, result: "hit" });
    this.#miss = countOn(metrics, metrics.poolAcquires, { pool: this.name, result: "miss" });
    this.#waited = observeOn(metrics, metrics.poolAcquireSeconds, { pool: this.name });
  }

  get limit(): number {
    return Math.min(this.#options.maxConcurrency, this.#connections);
  }

  stats(): SocketPoolStats {
    return {
      pool: this.name,
      limit: this.limit,
      size: this.#connected,
      idle: Math.max(0, this.#connected - this.#busy),
      waiting: this.#queue.size,
    };
  }

  /** A slot at once, or undefined: then the waiter is queued (or already refused). */
  acquire(waiter: Waiter): Slot | undefined {
    if (this.#closed) {
      waiter.refused("closed");
      return undefined;
    }
    if (this.#busy < this.limit) {
      this.#waited.observe(0);
      return this.#take();
    }
    if (this.#queue.size >= this.#options.queueLength) {
      waiter.refused("full");
      return undefined;
    }
    const timer = setTimeout(() => {
      this.#queue.delete(waiter);
      waiter.refused("timeout");
    }, this.#options.queueMs);
    this.#queue.set(waiter, { since: performance.now(), timer });
    return undefined;
  }

  /** The waiter no longer wants a slot. */
  leave(waiter: Waiter): void {
    const queued = this.#queue.get(waiter);
    if (queued === undefined) return;
    clearTimeout(queued.timer);
    this.#queue.delete(waiter);
  }

  /**
   * Gives a slot back.
   * @param broken The call was aborted or failed: its socket is being closed, and the slot counts until it is.
   */
  release(slot: Slot, broken: boolean): void {
    if (broken && slot.connected) {
      slot.closing = true;
      return;
    }
    this.#free_(slot);
  }

  /** Changes the ceilings; resolves when no more sockets than `connections` are open. */
  resize(connections: number, idleConnections: number): Promise<void> {
    this.#connections = connections;
    this.#idleConnections = idleConnections;
    this.#trim();
    this.#serve();
    if (this.#slots.size <= this.#connections) return Promise.resolve();
    return new Promise((resolve) => this.#shrunk.push(resolve));
  }

  /** Refuses all waiters and closes all sockets; calls in progress fail. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const [waiter, { timer }] of this.#queue) {
      clearTimeout(timer);
      waiter.refused("closed");
    }
    this.#queue.clear();
    await Promise.all([...this.#slots].map((slot) => slot.client.destroy()));
  }

  #take(): Slot {
    this.#busy++;
    const free = this.#free;
    let slot = free.at(-1);
    if (slot?.connected === true) {
      free.pop();
    } else {
      // Slots without a socket lie on top only after their upstream closed it: look below them for one that has one.
      const index = free.findLastIndex((candidate) => candidate.connected);
      slot = index === -1 ? undefined : free.splice(index, 1)[0];
    }
    if (slot !== undefined) {
      this.#hit.inc();
    } else {
      this.#miss.inc();
      slot = free.pop() ?? this.#open();
    }
    slot.busy = true;
    return slot;
  }

  #open(): Slot {
    const client = new Client(this.#options.origin, {
      pipelining: 1,
      // HTTP/2 would put several calls on one socket, and the budget counts sockets.
      allowH2: false,
      connectTimeout: this.#options.connectMs,
      keepAliveTimeout: IDLE_MS,
      // Waiting for headers and between bytes is timed by the call itself, which knows the first byte from the others.
      headersTimeout: 0,
      bodyTimeout: 0,
    });
    const slot: Slot = { client, connected: false, busy: false, closing: false, retired: false };
    client.on("connect", () => {
      slot.connected = true;
      this.#connected++;
    });
    client.on("disconnect", () => {
      if (slot.connected) this.#connected--;
      slot.connected = false;
      if (slot.closing) {
        slot.closing = false;
        this.#free_(slot);
      }
    });
    this.#slots.add(slot);
    return slot;
  }

  #free_(slot: Slot): void {
    slot.busy = false;
    this.#busy--;
    if (this.#closed) return;
    if (this.#slots.size > this.#connections) {
      this.#retire(slot);
    } else {
      this.#free.push(slot);
      if (this.#free.length > this.#idleConnections) this.#trim();
    }
    this.#serve();
  }

  #serve(): void {
    for (const [waiter, { since, timer }] of this.#queue) {
      if (this.#busy >= this.limit) return;
      clearTimeout(timer);
      this.#queue.delete(waiter);
      this.#waited.observe((performance.now() - since) / 1000);
      waiter.granted(this.#take());
    }
  }

  /** Closes free slots above the ceilings, the coldest first. */
  #trim(): void {
    while (
      this.#free.length > 0 &&
      (this.#slots.size > this.#connections || this.#free.length > this.#idleConnections)
    ) {
      const slot = this.#free.shift();
      if (slot !== undefined) this.#retire(slot);
    }
  }

  #retire(slot: Slot): void {
    if (slot.retired) return;
    slot.retired = true;
    // The slot counts until its socket is gone: a lower limit is confirmed only then.
    void slot.client.destroy().then(() => {
      this.#slots.delete(slot);
      if (this.#slots.size > this.#connections) return;
      const waiting = this.#shrunk;
      this.#shrunk = [];
      for (const resolve of waiting) resolve();
    });
  }
}
