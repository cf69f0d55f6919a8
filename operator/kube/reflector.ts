import { breath } from "./breath.ts";
import type { KubeClient, ListOptions } from "./client.ts";
import { backoffMs, type Clock, type Random, sleep } from "./clock.ts";
import { ApiError } from "./errors.ts";
import { eventFailure } from "./failure.ts";
import type { Log } from "./log.ts";
import type { KubeMetrics } from "./metrics.ts";
import type { KubeObject } from "./object.ts";
import type { Shape } from "./protobuf.ts";
import {
  type ListMode,
  type ReflectorEffect,
  type ReflectorState,
  SilenceError,
  type Step,
  type Streaming,
  startListing,
  step,
  type Watching,
} from "./reflector-state.ts";
import { type Resource, resourceName } from "./resources.ts";
import { linkSignals } from "./signals.ts";

/** Times and sizes of a reflector; tests shorten them. */
export interface ReflectorTiming {
  /** Objects per page of a list. Default 500. */
  readonly pageSize: number;
  /** Bounds of the random time after which the server ends a watch, so that watches do not end together. Default 300-600. */
  readonly watchSeconds: readonly [number, number];
  /**
   * A watch that brings nothing for so long is dead: three times the server's bookmark period. A list that is not whole after as long is no
   * longer streamed. Default 180 s.
   */
  readonly silenceMs: number;
  /** First and longest wait after a failure. Default 0.8-30 s. */
  readonly backoffMs: readonly [number, number];
  /** After so long without a failure the next one counts as the first. Default 120 s. */
  readonly healthyAfterMs: number;
}

export const DEFAULT_TIMING: ReflectorTiming = {
  pageSize: 500,
  watchSeconds: [300, 600],
  silenceMs: 180_000,
  backoffMs: [800, 30_000],
  healthyAfterMs: 120_000,
};

/** A watch that ends sooner, without an event, is not resumed at once. */
const QUICK_END_MS = 1000;

export interface ReflectorOptions<T extends KubeObject> {
  readonly client: KubeClient;
  readonly resource: Resource;
  readonly selection: Pick<ListOptions, "namespace" | "labelSelector" | "fieldSelector" | "metadataOnly">;
  /** What is read of the objects of a built-in kind, whose watch then comes as protocol buffers. Default: JSON. */
  readonly shape?: Shape | undefined;
  /** How lists are made; what the server does not stream is read by pages all the same. */
  readonly listing: ListMode;
  /** Applied to each object as it comes in, so that a long list is never held in full. */
  readonly transform: (object: T) => T;
  /** Takes over what was seen, and is waited for before more is read; must not throw. */
  readonly onEffect: (effect: ReflectorEffect<T>) => Promise<void> | undefined;
  /** Told of every state entered and every sign of life. */
  readonly onState: (state: ReflectorState<T>) => void;
  /** Told of every watch that begins, with what gives it up for the reason that it is handed; nothing once it has ended. */
  readonly onWatch?: ((giveUp: (why: Error) => void) => void) | undefined;
  /** Told of every failure, before the wait that follows it; must not throw. */
  readonly onFailure?: ((error: unknown) => void) | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly metrics: KubeMetrics;
  readonly timing: ReflectorTiming;
}

/**
 * Keeps `onEffect` told about one collection until the signal aborts. What follows on what: reflector-state.ts; here are the requests and the times.
 *
 * Guarantees: effects come in the order of the server, one at a time, and a list only when it is whole; a watch that brings nothing for `silenceMs` is
 * given up, and bookmarks tell of life where nothing changes; tries that fail are further and further apart, and as far as the server asks.
 * Caveats: between a failure and the list or watch that follows it, what was told is as old as the failure; changes that were undone meanwhile are never told.
 * Errors: never rejects. Every failure is counted and tried again, and logged as a warning from the third in a row on.
 */
export async function runReflector<T extends KubeObject>(
  options: ReflectorOptions<T>,
  signal: AbortSignal,
): Promise<void> {
  const { clock, random, timing, metrics } = options;
  const resource = resourceName(options.resource);
  const log = options.log.child({ resource, namespace: options.selection.namespace });
  let state = startListing<T>("start", options.listing) as ReflectorState<T>;
  let failures = 0;
  let lastFailureAt = Number.NEGATIVE_INFINITY;
  let askedMs = 0;

  const noteFailure = (error: unknown): void => {
    const now = clock.monotonic();
    failures = now - lastFailureAt > timing.healthyAfterMs ? 1 : failures + 1;
    lastFailureAt = now;
    askedMs = error instanceof ApiError ? (error.retryAfterMs ?? 0) : 0;
    const fields = { err: error, phase: state.phase, failures };
    // One broken connection is everyday life; only a row of them is worth a look.
    if (failures < 3) log.debug(fields, "list or watch failed; trying again");
    else log.warn(fields, "list or watch keeps failing; the cache is as old as the first failure");
    options.onFailure?.(error);
  };

  const take: Take<T> = async (next, error) => {
    const taken = next.effect && options.onEffect(next.effect);
    if (taken) await taken;
    if (next.state.phase === "waiting" && error !== undefined) noteFailure(error);
    if (state.phase === "streaming" && next.state.phase === "listing")
      log.info({ err: error }, "the server does not stream lists; they are read page by page from now on");
    if ("reason" in next.state && !("reason" in state))
      metrics.relists.inc({ resource, reason: next.state.reason });
    state = next.state;
    options.onState(state);
  };

  metrics.relists.inc({ resource, reason: "start" });
  options.onState(state);
  while (!signal.aborted) {
    if (state.phase === "waiting") {
      const [base, cap] = timing.backoffMs;
      await sleep(clock, Math.max(askedMs, backoffMs(failures, base, cap, random)), signal);
      await take(step(state, { kind: "waited" }));
      continue;
    }
    try {
      if (state.phase === "listing") {
        const page = await options.client.listPage<T>(options.resource, {
          ...options.selection,
          limit: timing.pageSize,
          continueToken: state.continueToken,
          signal,
        });
        await take(
          step(state, { kind: "page", page: { ...page, items: page.items.map(options.transform) } }),
        );
      } else {
        await follow(options, state, signal, take);
      }
    } catch (error) {
      if (signal.aborted) return;
      await take(step(state, { kind: "failed", error }), error);
    }
  }
}

/** Goes over to the next state. `error`: what made it wait, or no longer stream. */
type Take<T> = (next: Step<T>, error?: unknown) => Promise<void>;

/**
 * One watch from its start to its end, with the list at its beginning if it is to be streamed. Throws when the request fails, the
 * connection breaks, or it falls silent.
 */
async function follow<T extends KubeObject>(
  options: ReflectorOptions<T>,
  from: Watching | Streaming<T>,
  signal: AbortSignal,
  take: Take<T>,
): Promise<void> {
  const { clock, timing, metrics } = options;
  const resource = resourceName(options.resource);
  const [least, most] = timing.watchSeconds;
  const startedAt = clock.monotonic();
  const silence = new AbortController();
  const linked = linkSignals([signal, silence.signal]);
  let state = from;
  const listen = () =>
    clock.setTimer(timing.silenceMs, () => {
      const what = state.phase === "streaming" ? "the end of the list was not heard" : "nothing was heard";
      silence.abort(new SilenceError(`${what} for ${timing.silenceMs / 1000} s`));
    });
  let deadMan = listen();
  let heard = false;
  try {
    metrics.watchStarts.inc({ resource });
    options.onWatch?.((why) => silence.abort(why));
    const events = await options.client.watch<T>(options.resource, {
      ...options.selection,
      shape: options.shape,
      ...(from.phase === "watching" ? { resourceVersion: from.resourceVersion } : { initialEvents: true }),
      timeoutSeconds: Math.round(least + options.random() * (most - least)),
      signal: linked.signal,
    });
    for await (const event of events) {
      heard = true;
      metrics.watchEvents.inc({ resource, type: event.type });
      const next: Step<T> = step<T>(state, {
        kind: "event",
        event: "object" in event ? { ...event, object: options.transform(event.object) } : event,
      });
      await take(next, event.type === "ERROR" ? eventFailure(event.status) : undefined);
      const pause = breath();
      if (pause) await pause;
      if (next.state.phase !== "watching" && next.state.phase !== "streaming") return;
      state = next.state;
      if (state.phase === "streaming") continue;
      deadMan.cancel();
      deadMan = listen();
    }
    linked.signal.throwIfAborted();
    const quick = !heard && clock.monotonic() - startedAt < QUICK_END_MS;
    const early = state.phase === "streaming" ? "before its list was whole" : "at once";
    await take(step<T>(state, { kind: "ended", quick }), new Error(`the watch ended ${early}`));
  } finally {
    deadMan.cancel();
    linked.release();
  }
}
