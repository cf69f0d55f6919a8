import type { KubeClient, ListOptions } from "./client.ts";
import { backoffMs, type Clock, type Random, sleep } from "./clock.ts";
import { ApiError } from "./errors.ts";
import type { Log } from "./log.ts";
import type { KubeMetrics } from "./metrics.ts";
import type { KubeObject } from "./object.ts";
import {
  type ReflectorEffect,
  type ReflectorState,
  SilenceError,
  type Step,
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
  /** A watch that brings nothing for so long is dead: three times the server's bookmark period. Default 180 s. */
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
  readonly selection: Pick<ListOptions, "namespace" | "labelSelector" | "fieldSelector">;
  /** Applied to each object as it comes in, so that a long list is never held in full. */
  readonly transform: (object: T) => T;
  /** Takes over what was seen; must not throw. */
  readonly onEffect: (effect: ReflectorEffect<T>) => void;
  /** Told of every state entered and every sign of life. */
  readonly onState: (state: ReflectorState<T>) => void;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly metrics: KubeMetrics;
  readonly timing: ReflectorTiming;
}

/**
 * Keeps `onEffect` told about one collection until the signal aborts. Never rejects: every failure is logged, counted and tried
 * again. Behaviour: reflector-state.ts.
 */
export async function runReflector<T extends KubeObject>(
  options: ReflectorOptions<T>,
  signal: AbortSignal,
): Promise<void> {
  const { clock, random, timing, metrics } = options;
  const resource = resourceName(options.resource);
  const log = options.log.child({ resource, namespace: options.selection.namespace });
  let state = startListing<T>("start") as ReflectorState<T>;
  let failures = 0;
  let lastFailureAt = Number.NEGATIVE_INFINITY;
  let askedMs = 0;

  const take = (next: Step<T>): void => {
    if (next.effect) options.onEffect(next.effect);
    if (next.state.phase === "listing" && state.phase !== "listing") {
      metrics.relists.inc({ resource, reason: next.state.reason });
    }
    state = next.state;
    options.onState(state);
  };

  const noteFailure = (error: unknown): void => {
    const now = clock.monotonic();
    failures = now - lastFailureAt > timing.healthyAfterMs ? 1 : failures + 1;
    lastFailureAt = now;
    askedMs = error instanceof ApiError ? (error.retryAfterMs ?? 0) : 0;
    const fields = { err: error, phase: state.phase, failures };
    // One broken connection is everyday life; only a row of them is worth a look.
    if (failures < 3) log.debug(fields, "list or watch failed; trying again");
    else log.warn(fields, "list or watch keeps failing; the cache is as old as the first failure");
  };

  metrics.relists.inc({ resource, reason: "start" });
  options.onState(state);
  while (!signal.aborted) {
    if (state.phase === "waiting") {
      const [base, cap] = timing.backoffMs;
      await sleep(clock, Math.max(askedMs, backoffMs(failures, base, cap, random)), signal);
      take(step(state, { kind: "waited" }));
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
        take(step(state, { kind: "page", page: { ...page, items: page.items.map(options.transform) } }));
      } else {
        await follow(options, state, signal, take, noteFailure);
      }
    } catch (error) {
      if (signal.aborted) return;
      noteFailure(error);
      take(step(state, { kind: "failed", error }));
    }
  }
}

/** One watch from its start to its end. Throws when the request fails, the connection breaks, or it falls silent. */
async function follow<T extends KubeObject>(
  options: ReflectorOptions<T>,
  from: Watching,
  signal: AbortSignal,
  take: (step: Step<T>) => void,
  noteFailure: (error: unknown) => void,
): Promise<void> {
  const { clock, timing, metrics } = options;
  const resource = resourceName(options.resource);
  const [least, most] = timing.watchSeconds;
  const startedAt = clock.monotonic();
  const silence = new AbortController();
  const linked = linkSignals([signal, silence.signal]);
  const listen = () =>
    clock.setTimer(timing.silenceMs, () =>
      silence.abort(new SilenceError(`nothing was heard for ${timing.silenceMs / 1000} s`)),
    );
  let deadMan = listen();
  let state: ReflectorState<T> = from;
  let heard = false;
  try {
    metrics.watchStarts.inc({ resource });
    const events = await options.client.watch<T>(options.resource, {
      ...options.selection,
      resourceVersion: from.resourceVersion,
      timeoutSeconds: Math.round(least + options.random() * (most - least)),
      signal: linked.signal,
    });
    for await (const event of events) {
      deadMan.cancel();
      deadMan = listen();
      heard = true;
      metrics.watchEvents.inc({ resource, type: event.type });
      const next: Step<T> = step<T>(state, {
        kind: "event",
        event: "object" in event ? { ...event, object: options.transform(event.object) } : event,
      });
      if (event.type === "ERROR") noteFailure(event.status);
      take(next);
      if (next.state.phase !== "watching") return;
      state = next.state;
    }
    linked.signal.throwIfAborted();
    const quick = !heard && clock.monotonic() - startedAt < QUICK_END_MS;
    if (quick) noteFailure(new Error("the watch ended at once"));
    take(step(state, { kind: "ended", quick }));
  } finally {
    deadMan.cancel();
    linked.release();
  }
}
