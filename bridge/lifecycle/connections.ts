import type { Socket } from "node:net";
import { performance } from "node:perf_hooks";
import type { Duplex } from "node:stream";

const JITTER = Symbol("jitter");
const BORN = Symbol("born");
const QUIET_SINCE = Symbol("quietSince");
const CUT = Symbol("cut");

interface Tracked extends Socket {
  [JITTER]?: number;
  [BORN]?: number;
  /** When the last response ended; Infinity while one is in progress. */
  [QUIET_SINCE]?: number;
  [CUT]?: boolean;
}

export interface ConnectionsOptions {
  /** Age after which a connection is asked to come back on a new one, in milliseconds; jittered by ±20 %. 0: never. */
  readonly maxAgeMs: number;
  /** Uniform in 0..1. */
  readonly random: () => number;
}

/**
 * The client connections of the traffic port, and when each of them should end. Nothing is cut here: a connection that is
 * too old, or that belongs to a draining pod, is told so with its next response.
 */
export class Connections {
  readonly #sockets = new Set<Tracked>();
  readonly #random: () => number;
  #maxAgeMs: number;
  #drainingSince = Number.POSITIVE_INFINITY;
  #lastNewcomer = Number.NEGATIVE_INFINITY;

  constructor(options: ConnectionsOptions) {
    this.#maxAgeMs = options.maxAgeMs;
    this.#random = options.random;
  }

  get size(): number {
    return this.#sockets.size;
  }

  /** Follows a connection from its start; it is forgotten when it closes. */
  add(socket: Socket): void {
    const tracked: Tracked = socket;
    tracked[BORN] = performance.now();
    // The factor belongs to the connection, so that a new limit does not bring all of them to their end at once.
    tracked[JITTER] = this.jitter();
    tracked[QUIET_SINCE] = tracked[BORN];
    this.#sockets.add(tracked);
    tracked.once("close", () => this.#sockets.delete(tracked));
  }

  /** Stops following a connection that became a WebSocket: its session ends it. */
  remove(socket: Duplex): void {
    this.#noteNewcomer(socket as Tracked);
    this.#sockets.delete(socket as Tracked);
  }

  /** A factor of 0.8 to 1.2 for one connection's age. */
  jitter(): number {
    return 0.8 + 0.4 * this.#random();
  }

  /** Applies a new limit to running connections too. */
  setMaxAge(maxAgeMs: number): void {
    this.#maxAgeMs = maxAgeMs;
  }

  drain(): void {
    this.#drainingSince = Math.min(this.#drainingSince, performance.now());
  }

  get draining(): boolean {
    return this.#drainingSince !== Number.POSITIVE_INFINITY;
  }

  /** When a request last began on a connection that was opened after the drain (monotonic clock); -Infinity while there was none. */
  get lastNewcomer(): number {
    return this.#lastNewcomer;
  }

  #noteNewcomer(socket: Tracked): void {
    if ((socket[BORN] ?? 0) >= this.#drainingSince) this.#lastNewcomer = performance.now();
  }

  /** Whether a connection born at `bornMs` (monotonic clock) has reached its age. */
  expired(bornMs: number, jitter: number): boolean {
    return this.#maxAgeMs > 0 && performance.now() - bornMs > this.#maxAgeMs * jitter;
  }

  /** Whether the next response on this connection should be its last. */
  shouldClose(socket: Socket): boolean {
    const { [BORN]: born, [JITTER]: jitter } = socket as Tracked;
    return this.draining || (born !== undefined && jitter !== undefined && this.expired(born, jitter));
  }

  /** A request has begun on this connection. */
  busy(socket: Socket): void {
    this.#noteNewcomer(socket as Tracked);
    (socket as Tracked)[QUIET_SINCE] = Number.POSITIVE_INFINITY;
  }

  /** Its response has ended. */
  quiet(socket: Socket): void {
    (socket as Tracked)[QUIET_SINCE] = performance.now();
  }

  /** Connections in use, or used less than `quietMs` ago: their client may be sending the next request this moment. */
  lively(quietMs: number): number {
    const before = performance.now() - quietMs;
    let count = 0;
    for (const socket of this.#sockets) if ((socket[QUIET_SINCE] ?? 0) > before) count++;
    return count;
  }

  /** Ends connections that have been quiet for at least `quietMs`. */
  closeQuiet(quietMs: number): void {
    const before = performance.now() - quietMs;
    for (const socket of this.#sockets) if ((socket[QUIET_SINCE] ?? 0) <= before) socket.end();
  }

  /** Ends all connections at once; returns how many were in the middle of a response. */
  cutAll(): number {
    let cut = 0;
    for (const socket of this.#sockets) {
      if (socket[QUIET_SINCE] === Number.POSITIVE_INFINITY) cut++;
      socket[CUT] = true;
      socket.destroy();
    }
    return cut;
  }

  /** Whether it is we who ended this connection, and not its client. */
  wasCut(socket: Socket): boolean {
    return (socket as Tracked)[CUT] === true;
  }
}
