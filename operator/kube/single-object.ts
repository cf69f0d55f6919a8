import type { KubeClient } from "./client.ts";
import { backoffMs, type Clock, type Random, sleep } from "./clock.ts";
import { ApiError, isForbidden, isNotFound } from "./errors.ts";
import type { KubeMetrics } from "./metrics.ts";
import type { KubeObject } from "./object.ts";
import { compareResourceVersions } from "./resource-version.ts";
import { type Resource, resourceName } from "./resources.ts";
import { linkSignals } from "./signals.ts";

/** What is known of one object. What fails after it was known leaves it as known, but for a right that was taken away. */
export type SingleState<T> =
  | { readonly kind: "Found"; readonly object: T }
  | { readonly kind: "Missing" }
  | { readonly kind: "Forbidden"; readonly error: ApiError }
  | { readonly kind: "Unknown"; readonly error: unknown };

/** Times of a watch of one object; tests shorten them. */
export interface SingleTiming {
  /** Bounds of the random time after which the server ends a watch. Default 1500-3000: where nothing changes next to nothing is asked. */
  readonly watchSeconds: readonly [number, number];
  /** A watch that brings nothing for so long, not even a bookmark, is dead. Default 180 s. */
  readonly silenceMs: number;
  /** First and longest wait after a failure. Default 1-60 s. */
  readonly backoffMs: readonly [number, number];
}

export const SINGLE_TIMING: SingleTiming = {
  watchSeconds: [1500, 3000],
  silenceMs: 180_000,
  backoffMs: [1_000, 60_000],
};

/** A watch that ends sooner, without an event, is not begun again at once. */
const QUICK_END_MS = 1_000;

/** A watch that has lasted so long was well: what ends it counts as the first failure. */
const HEALTHY_AFTER_MS = 120_000;

export interface SingleOptions<T extends KubeObject> {
  readonly client: KubeClient;
  readonly resource: Resource;
  readonly namespace: string;
  readonly name: string;
  /** Told of each state that is another one than before; must not throw. */
  readonly onState: (state: SingleState<T>) => void;
  readonly clock: Clock;
  readonly random: Random;
  readonly metrics: KubeMetrics;
  readonly timing?: SingleTiming | undefined;
}

/**
 * Follows one object by its name until the signal aborts; never rejects. It asks for nothing but `get` and `watch` of that name, so that a Role with
 * `resourceNames` is enough: the API server takes the name that it authorises a watch by from the field selector.
 *
 * The watch begins before the object is read: what happens in between is told by it, also a deletion, which a watch that begins later would not know of.
 */
export async function followObject<T extends KubeObject>(
  options: SingleOptions<T>,
  signal: AbortSignal,
): Promise<void> {
  const { clock, random, timing = SINGLE_TIMING, onState } = options;
  let known: SingleState<T> | undefined;
  const take = (next: SingleState<T>): void => {
    const isNews = known === undefined || known.kind !== next.kind || isNewer(known, next);
    if (!isNews) return;
    known = next;
    onState(next);
  };
  for (let failures = 0; !signal.aborted; ) {
    const beganAt = clock.monotonic();
    try {
      await watchOnce(options, timing, take, signal);
      failures = 0;
    } catch (error) {
      if (signal.aborted) return;
      failures = clock.monotonic() - beganAt > HEALTHY_AFTER_MS ? 1 : failures + 1;
      if (isForbidden(error)) take({ kind: "Forbidden", error });
      else if (known === undefined || known.kind === "Forbidden") take({ kind: "Unknown", error });
      const [base, cap] = timing.backoffMs;
      const askedMs = error instanceof ApiError ? (error.retryAfterMs ?? 0) : 0;
      await sleep(clock, Math.max(askedMs, backoffMs(failures, base, cap, random)), signal);
    }
  }
}

/** Events of a watch may be older than what was read while it began. */
function isNewer<T extends KubeObject>(known: SingleState<T>, next: SingleState<T>): boolean {
  if (known.kind !== "Found" || next.kind !== "Found") return false;
  const order = compareResourceVersions(
    next.object.metadata.resourceVersion,
    known.object.metadata.resourceVersion,
  );
  return order === undefined ? true : order > 0;
}

async function watchOnce<T extends KubeObject>(
  { client, resource, namespace, name, clock, random, metrics }: SingleOptions<T>,
  timing: SingleTiming,
  take: (state: SingleState<T>) => void,
  signal: AbortSignal,
): Promise<void> {
  const [least, most] = timing.watchSeconds;
  const startedAt = clock.monotonic();
  const end = new AbortController();
  const linked = linkSignals([signal, end.signal]);
  const listen = () =>
    clock
      .setTimer(timing.silenceMs, () =>
        end.abort(new Error(`nothing was heard for ${timing.silenceMs / 1000} s`)),
      )
      .unref();
  let deadMan = listen();
  try {
    metrics.watchStarts.inc({ resource: resourceName(resource) });
    const events = await client.watch<T>(resource, {
      namespace,
      fieldSelector: `metadata.name=${name}`,
      // From the latest state on.
      resourceVersion: "",
      timeoutSeconds: Math.round(least + random() * (most - least)),
      signal: linked.signal,
    });
    const iterator = events[Symbol.asyncIterator]();
    const first = iterator.next();
    // Where the object cannot be read nobody waits for its changes.
    first.catch(() => {});
    const present = await found<T>(client, resource, namespace, name, linked.signal);
    take(present ? { kind: "Found", object: present } : { kind: "Missing" });
    /** Of what is there now, or was last; what is told of before that is past. */
    let reached = present?.metadata.resourceVersion;
    let heard = false;
    for (let next = await first; !next.done; next = await iterator.next()) {
      const event = next.value;
      heard = true;
      deadMan.cancel();
      deadMan = listen();
      if (event.type === "BOOKMARK") continue;
      if (event.type === "ERROR") throw new ApiError(`watch ${name}`, event.status.code ?? 500, event.status);
      metrics.watchEvents.inc({ resource: resourceName(resource), type: event.type });
      const { resourceVersion } = event.object.metadata;
      const order = reached === undefined ? 1 : compareResourceVersions(resourceVersion, reached);
      if (order !== undefined && order < 0) continue;
      reached = resourceVersion;
      take(event.type === "DELETED" ? { kind: "Missing" } : { kind: "Found", object: event.object });
    }
    linked.signal.throwIfAborted();
    if (!heard && clock.monotonic() - startedAt < QUICK_END_MS) throw new Error("the watch ended at once");
  } finally {
    deadMan.cancel();
    // A watch that nobody listens to any more ends here too.
    end.abort();
    linked.release();
  }
}

async function found<T extends KubeObject>(
  client: KubeClient,
  resource: Resource,
  namespace: string,
  name: string,
  signal: AbortSignal,
): Promise<T | undefined> {
  try {
    return await client.get<T>(resource, namespace, name, { signal });
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}
