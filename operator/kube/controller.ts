import { randomUUID } from "node:crypto";
import { breath } from "./breath.ts";
import { type Clock, type Random, systemClock, type Timer } from "./clock.ts";
import { ApiError, FencedError, isConflict } from "./errors.ts";
import { type Log, silentLog } from "./log.ts";
import { createKubeMetrics, type KubeMetrics } from "./metrics.ts";
import { formatKey, type ObjectKey } from "./object.ts";
import type { OwnWrites } from "./own-writes.ts";
import { type AddOptions, createQueue } from "./queue.ts";
import { linkSignals } from "./signals.ts";

/**
 * What a reconcile says about coming back. Both end the key's back-off.
 * - done: wait for the next change.
 * - requeueAfter: come back after `ms`, or at the next change if that is sooner.
 *
 * A thrown error means: come back after the key's exponential back-off. A conflict after something was carried out ends it too: the pass
 * has come further, and so will the next, which sees what the other writer has written.
 */
export type ReconcileResult =
  | { readonly kind: "done" }
  | { readonly kind: "requeueAfter"; readonly ms: number };

export interface ReconcileContext {
  /** Aborts some time after the controller was told to stop, or when the reconcile's deadline has passed; hand it to every call. */
  readonly signal: AbortSignal;
  /** Carries the key and the reconcile id. */
  readonly log: Log;
  readonly reconcileId: string;
  /** To be called when a write was carried out. */
  readonly progressed: () => void;
}

export interface ControllerOptions {
  /** Label of metrics and logs. */
  readonly name: string;
  /**
   * Brings one object from observed to desired. It gets a key and never an event, must read the state itself, and may run at any
   * time, any number of times; never twice at a time for one key.
   */
  readonly reconcile: (key: ObjectKey, context: ReconcileContext) => Promise<ReconcileResult>;
  /** Keys reconciled at a time. Default 4. */
  readonly workers?: number;
  /** After so long the reconcile's signal aborts. Default 60 s. */
  readonly deadlineMs?: number;
  /**
   * How long reconciles may go on once the controller is told to stop; then their signals abort. Default 2 s. A write that is given up on
   * the wire may still be carried out, by then perhaps beside another leader's. None where leadership was lost.
   */
  readonly stopGraceMs?: number;
  /** First and longest wait after failures of one key. Default 0.5-60 s. */
  readonly backoffMs?: readonly [number, number];
  /** When given, a key waits until the caches show what its last reconcile wrote. */
  readonly ownWrites?: OwnWrites;
  readonly clock?: Clock;
  readonly random?: Random;
  readonly newId?: () => string;
  readonly log?: Log;
  readonly metrics?: KubeMetrics;
}

/** How a reconcile ended; label of the metric. */
type Outcome = "done" | "requeue-after" | "conflict" | "deadline" | "error" | "bug" | "stopped";

export interface Controller {
  /** Asks for a reconcile; may be called before `run`, the keys are kept. */
  enqueue(key: ObjectKey, options?: AddOptions): void;
  /** Takes back what was asked for and has not begun. */
  drop(key: ObjectKey): void;
  /**
   * Works until the signal aborts and resolves when the last reconcile has ended; never rejects. May be called again after
   * that.
   */
  run(signal: AbortSignal): Promise<void>;
  /** Milliseconds since the start of the reconcile that has been running for longest; 0 when none runs. */
  longestRunningMs(): number;
  /** Keys ready to be reconciled. */
  readonly depth: number;
}

/**
 * Runs a reconcile function over keys: several at a time, one at a time per key, each with a deadline and an id.
 *
 * Guarantees: a key is never reconciled twice at a time, and not before the caches show what its last reconcile wrote; one that was added meanwhile is
 * reconciled once more. A reconcile that throws, whatever it throws, only delays its own key. Once told to stop nothing new begins, and what runs is cut
 * after `stopGraceMs`.
 * Caveats: a reconcile that ignores its aborted signal keeps its worker busy, its key locked and `run` from resolving until it ends: starting it again
 * beside itself would be worse.
 * Errors: `run` never rejects. Conflicts are everyday life, failures warnings, and what no well-behaved server causes is logged as a bug.
 */
export function createController(options: ControllerOptions): Controller {
  const { name, reconcile, ownWrites, clock = systemClock, metrics = createKubeMetrics() } = options;
  const { workers = 4, deadlineMs = 60_000, stopGraceMs = 2_000, newId = randomUUID } = options;
  const log = (options.log ?? silentLog).child({ controller: name });
  const queue = createQueue({
    name,
    clock,
    metrics,
    random: options.random ?? Math.random,
    ...(options.backoffMs ? { backoffMs: options.backoffMs } : {}),
  });
  const running = new Map<ObjectKey, number>();
  /** Keys that were taken out of the queue before the caches showed their last writes. */
  const held = new Map<string, ObjectKey>();
  /** Keys for which a person waits since their last reconcile began. */
  const awaited = new Set<string>();

  ownWrites?.onReady((key) => {
    const id = formatKey(key);
    if (held.delete(id)) queue.add(key, { priority: awaited.has(id) ? "user" : "child" });
  });

  /** Runs the function once and turns whatever happens into an outcome. */
  async function runOnce(key: ObjectKey, cut: AbortSignal): Promise<Outcome> {
    const reconcileId = newId();
    const keyLog = log.child({ namespace: key.namespace, name: key.name, reconcileId });
    const expired = new Error(`the reconcile took longer than ${deadlineMs / 1000} s`);
    const linked = linkSignals([cut], { clock, ms: deadlineMs, reason: () => expired });
    let hasProgressed = false;
    const progressed = (): void => {
      hasProgressed = true;
    };
    try {
      const result = await reconcile(key, { signal: linked.signal, log: keyLog, reconcileId, progressed });
      queue.forget(key);
      if (result.kind === "done") return "done";
      queue.add(key, { priority: "child", afterMs: result.ms });
      return "requeue-after";
    } catch (error) {
      if (cut.aborted) {
        queue.add(key);
        return "stopped";
      }
      const outcome = linked.signal.aborted ? "deadline" : classify(error);
      if (outcome === "conflict" && hasProgressed) queue.forget(key);
      const waitMs = queue.retry(key, error instanceof ApiError ? error.retryAfterMs : undefined);
      const fields = { err: outcome === "deadline" ? expired : error, retryAfterMs: Math.round(waitMs) };
      if (outcome === "conflict") keyLog.debug(fields, "another writer was faster; reconciling again");
      else if (outcome === "bug")
        keyLog.error(fields, "the reconcile failed because of a bug; the key backs off");
      else keyLog.warn(fields, "the reconcile failed; the key backs off");
      return outcome;
    } finally {
      linked.release();
    }
  }

  async function work(stop: AbortSignal, cut: AbortSignal): Promise<void> {
    for (;;) {
      const key = await queue.take(stop);
      if (!key) return;
      if (ownWrites && !ownWrites.ready(key)) {
        held.set(formatKey(key), key);
        queue.done(key);
        continue;
      }
      held.delete(formatKey(key));
      awaited.delete(formatKey(key));
      const startedAt = clock.monotonic();
      running.set(key, startedAt);
      metrics.reconcilesActive.set({ controller: name }, running.size);
      const result = await runOnce(key, cut);
      running.delete(key);
      metrics.reconcilesActive.set({ controller: name }, running.size);
      metrics.reconcileSeconds.observe({ controller: name }, (clock.monotonic() - startedAt) / 1000);
      metrics.reconciles.inc({ controller: name, result });
      queue.done(key);
      const pause = breath();
      if (pause) await pause;
    }
  }

  return {
    enqueue(key, add) {
      if (add?.priority === "user") awaited.add(formatKey(key));
      queue.add(key, add);
    },
    drop(key) {
      awaited.delete(formatKey(key));
      held.delete(formatKey(key));
      queue.drop(key);
    },
    async run(signal) {
      const cut = new AbortController();
      let grace: Timer | undefined;
      const onStop = (): void => {
        if (signal.reason instanceof FencedError) cut.abort(signal.reason);
        else grace = clock.setTimer(stopGraceMs, () => cut.abort(signal.reason));
      };
      if (signal.aborted) onStop();
      else signal.addEventListener("abort", onStop, { once: true });
      await Promise.all(Array.from({ length: workers }, () => work(signal, cut.signal)));
      signal.removeEventListener("abort", onStop);
      grace?.cancel();
    },
    longestRunningMs: () =>
      Math.max(0, ...[...running.values()].map((startedAt) => clock.monotonic() - startedAt)),
    get depth() {
      return queue.depth;
    },
  };
}

/** Errors that no well-behaved server or network causes. */
function classify(error: unknown): "conflict" | "error" | "bug" {
  if (isConflict(error)) return "conflict";
  if (error instanceof ApiError || error instanceof FencedError) return "error";
  const bug =
    !(error instanceof Error) ||
    error instanceof TypeError ||
    error instanceof RangeError ||
    error instanceof ReferenceError ||
    error instanceof SyntaxError;
  return bug ? "bug" : "error";
}
