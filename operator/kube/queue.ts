import { backoffMs, type Clock, type Random, systemClock, type Timer } from "./clock.ts";
import { createKubeMetrics, type KubeMetrics } from "./metrics.ts";
import { formatKey, type ObjectKey } from "./object.ts";

/**
 * Most urgent first: a person waits for a change of what serves, a rollout for its children, and what is new serves nobody yet; for a resync
 * nobody waits.
 */
const PRIORITIES = ["user", "child", "new", "resync"] as const;
type Priority = (typeof PRIORITIES)[number];

export interface AddOptions {
  /** Default `child`. */
  readonly priority?: Priority | undefined;
  /** Not before so many milliseconds from now. Default: at once. */
  readonly afterMs?: number | undefined;
}

/**
 * Keys that want to be reconciled. A set and not a list: a key that is in it already is not added again, and a key is never handed
 * out twice at a time. Guarantees:
 *
 * - A key added while it is being worked on is handed out once more after `done`.
 * - Delayed adds of a key keep the earliest time. An immediate add takes the place of a delayed one, since the reconcile it leads to
 *   says anew when to come back.
 * - While a key backs off after a failure, only `user` adds come through at once; others wait with it, so that a key which fails
 *   after causing an event cannot spin.
 * - Order: by priority, then in turn between namespaces, then first come first served. Every tenth hand-out goes to the less urgent priorities that
 *   have keys, to each in turn, so that none waits for ever. Not to whose keys wait longest: after a start those are thousands of resyncs.
 *
 * Caveats: it holds every key that was added until that is taken or dropped, so nobody may add to one that nobody takes from. Back-off is each key's own:
 * how much is tried at once when everything fails is limited by who takes the keys, and by the transport. What was lost with a process is added anew by
 * the lists of the next.
 */
export interface WorkQueue {
  add(key: ObjectKey, options?: AddOptions): void;
  /** Waits for a key; undefined once the signal aborts. Each key taken must be given back with `done`. */
  take(signal: AbortSignal): Promise<ObjectKey | undefined>;
  done(key: ObjectKey): void;
  /**
   * Adds the key again after its own exponential back-off.
   * @param atLeastMs longer than the back-off if the server asked for it
   * @returns milliseconds until then
   */
  retry(key: ObjectKey, atLeastMs?: number): number;
  /** Takes a key back that is not taken; one that is, is not handed out again. */
  drop(key: ObjectKey): void;
  /** Ends the back-off: the next failure counts as the first. */
  forget(key: ObjectKey): void;
  /** Keys that are ready and not taken. */
  readonly depth: number;
}

export interface QueueOptions {
  /** Label of the metrics. */
  readonly name: string;
  /** First and longest wait after failures of one key. Default 0.5-60 s. */
  readonly backoffMs?: readonly [number, number];
  readonly clock?: Clock;
  readonly random?: Random;
  readonly metrics?: KubeMetrics;
}

interface Ready {
  readonly key: ObjectKey;
  readonly priority: Priority;
  readonly since: number;
}

interface Delayed {
  readonly dueAt: number;
  readonly priority: Priority;
  readonly timer: Timer;
}

const LESS_URGENT_EVERY = 10;

/** Keys of one priority, handed out in turn between their namespaces. Maps keep insertion order, which is the order of turns. */
function createLevel() {
  const namespaces = new Map<string, Map<string, Ready>>();
  return {
    has: () => namespaces.size > 0,
    set(id: string, ready: Ready): void {
      const { namespace } = ready.key;
      const keys = namespaces.get(namespace) ?? new Map<string, Ready>();
      namespaces.set(namespace, keys);
      keys.set(id, ready);
    },
    remove(id: string, namespace: string): void {
      const keys = namespaces.get(namespace);
      keys?.delete(id);
      if (keys?.size === 0) namespaces.delete(namespace);
    },
    first(): Ready | undefined {
      for (const [namespace, keys] of namespaces) {
        for (const ready of keys.values()) {
          // The namespace goes to the end of the line.
          namespaces.delete(namespace);
          namespaces.set(namespace, keys);
          return ready;
        }
      }
      return undefined;
    },
  };
}

export function createQueue(options: QueueOptions): WorkQueue {
  const { clock = systemClock, random = Math.random, metrics = createKubeMetrics() } = options;
  const [backoffBase, backoffCap] = options.backoffMs ?? [500, 60_000];
  const controller = options.name;
  const levels = { user: createLevel(), child: createLevel(), new: createLevel(), resync: createLevel() };
  const ready = new Map<string, Ready>();
  const delayed = new Map<string, Delayed>();
  /** Taken keys, with the priority under which each was added again meanwhile. */
  const taken = new Map<string, Priority | undefined>();
  const failures = new Map<string, number>();
  const waiters: (() => void)[] = [];
  let handedOut = 0;
  /** Number of the last hand-out of each priority. */
  const served: Record<Priority, number> = { user: 0, child: 0, new: 0, resync: 0 };

  const moreUrgent = (a: Priority, b: Priority | undefined): Priority =>
    b !== undefined && PRIORITIES.indexOf(b) < PRIORITIES.indexOf(a) ? b : a;

  const makeReady = (key: ObjectKey, wanted: Priority): void => {
    const id = formatKey(key);
    const waiting = delayed.get(id);
    waiting?.timer.cancel();
    delayed.delete(id);
    if (taken.has(id)) {
      taken.set(id, moreUrgent(wanted, taken.get(id)));
      return;
    }
    const present = ready.get(id);
    const priority = moreUrgent(wanted, present?.priority);
    if (present?.priority === priority) return;
    if (present) levels[present.priority].remove(id, key.namespace);
    const entry: Ready = { key, priority, since: present?.since ?? clock.monotonic() };
    ready.set(id, entry);
    levels[priority].set(id, entry);
    metrics.queueAdds.inc({ controller, priority });
    metrics.queueDepth.set({ controller }, ready.size);
    waiters.shift()?.();
  };

  const delay = (key: ObjectKey, priority: Priority, ms: number): void => {
    const id = formatKey(key);
    if (ready.has(id)) {
      makeReady(key, priority);
      return;
    }
    const dueAt = clock.monotonic() + ms;
    const present = delayed.get(id);
    if (present && present.dueAt <= dueAt) return;
    present?.timer.cancel();
    const most = moreUrgent(priority, present?.priority);
    const timer = clock.setTimer(ms, () => makeReady(key, most)).unref();
    delayed.set(id, { dueAt, priority: most, timer });
  };

  const next = (): Ready | undefined => {
    handedOut++;
    const [first, ...others] = PRIORITIES.filter((priority) => levels[priority].has());
    const [other = first] = others.toSorted((a, b) => served[a] - served[b]);
    const priority = handedOut % LESS_URGENT_EVERY === 0 ? other : first;
    if (priority === undefined) return undefined;
    served[priority] = handedOut;
    return levels[priority].first();
  };

  const add = (key: ObjectKey, priority: Priority, afterMs: number): void => {
    const id = formatKey(key);
    const backingOff = failures.has(id) && delayed.has(id);
    if (backingOff && priority !== "user") return;
    if (afterMs > 0) delay(key, priority, afterMs);
    else makeReady(key, priority);
  };

  return {
    get depth() {
      return ready.size;
    },
    add: (key, { priority = "child", afterMs = 0 } = {}) => add(key, priority, afterMs),
    async take(signal) {
      while (!signal.aborted) {
        const entry = ready.size > 0 ? next() : undefined;
        if (entry) {
          const { key, priority } = entry;
          const id = formatKey(key);
          ready.delete(id);
          levels[priority].remove(id, key.namespace);
          taken.set(id, undefined);
          metrics.queueDepth.set({ controller }, ready.size);
          metrics.queueWaitSeconds.observe(
            { controller, priority },
            (clock.monotonic() - entry.since) / 1000,
          );
          return key;
        }
        await new Promise<void>((resolve) => {
          const wake = (): void => {
            signal.removeEventListener("abort", leave);
            resolve();
          };
          const leave = (): void => {
            waiters.splice(waiters.indexOf(wake), 1);
            resolve();
          };
          waiters.push(wake);
          signal.addEventListener("abort", leave, { once: true });
        });
      }
      // A wake-up that came together with the abort must not be lost for the other workers.
      if (ready.size > 0) waiters.shift()?.();
      return undefined;
    },
    done(key) {
      const id = formatKey(key);
      const again = taken.get(id);
      taken.delete(id);
      if (again !== undefined) add(key, again, 0);
    },
    retry(key, atLeastMs = 0) {
      const id = formatKey(key);
      const count = (failures.get(id) ?? 0) + 1;
      failures.set(id, count);
      const waitMs = Math.max(atLeastMs, backoffMs(count, backoffBase, backoffCap, random));
      // What came while it failed waits with it, however soon it was to be looked at.
      delayed.get(id)?.timer.cancel();
      delayed.delete(id);
      delay(key, "child", waitMs);
      return waitMs;
    },
    drop(key) {
      const id = formatKey(key);
      delayed.get(id)?.timer.cancel();
      delayed.delete(id);
      failures.delete(id);
      if (taken.has(id)) taken.set(id, undefined);
      const present = ready.get(id);
      if (!present) return;
      ready.delete(id);
      levels[present.priority].remove(id, key.namespace);
      metrics.queueDepth.set({ controller }, ready.size);
    },
    forget: (key) => void failures.delete(formatKey(key)),
  };
}
