import type { CallOptions, KubeClient } from "./client.ts";
import { type Clock, type Random, sleep, systemClock } from "./clock.ts";
import { FencedError, isAlreadyExists, isConflict, isNotFound } from "./errors.ts";
import { hedged } from "./hedge.ts";
import { createInformer } from "./informer.ts";
import {
  type Lease,
  type LeaseSpec,
  microTime,
  type Observation,
  observe,
  waitBeforeTakingMs,
} from "./lease-record.ts";
import { type Log, silentLog } from "./log.ts";
import { createKubeMetrics, type KubeMetrics } from "./metrics.ts";
import { resources } from "./resources.ts";
import { linkSignals } from "./signals.ts";
import { startTerm, type Term } from "./term.ts";

export interface ElectionOptions {
  /** A client on the lane `lease`, without a fence. */
  readonly client: KubeClient;
  readonly namespace: string;
  readonly name: string;
  /** Who we are; must differ between processes, and between two starts of one pod. */
  readonly identity: string;
  /** How long others wait after the last sign of the holder. Default 15 s. */
  readonly leaseDurationMs?: number;
  /** Default 5 s. */
  readonly renewIntervalMs?: number;
  /** After so long without a renewal this process stops writing by itself. Default 10 s. */
  readonly renewDeadlineMs?: number;
  /** Wait between failed tries. Default 1 s. */
  readonly retryMs?: number;
  /** An event loop that stood still for so long puts leadership in doubt. Default 2 s. */
  readonly stallMs?: number;
  /** How long `onStarted` may take to end on shutdown for the lease still to be released. Default 5 s. */
  readonly graceMs?: number;
  readonly clock?: Clock;
  readonly random?: Random;
  readonly log?: Log;
  readonly metrics?: KubeMetrics;
}

export interface ElectionCallbacks {
  /**
   * Called once when leadership is won. The signal aborts when the work has to end; on a shutdown, writes stay permitted until the
   * promise has settled, at most for `graceMs`, and then the lease is released.
   */
  onStarted(signal: AbortSignal): void | Promise<void>;
  /** Called once after leadership has ended. */
  onStopped(): void;
}

/**
 * - stopped: the signal aborted before leadership was won.
 * - released: the signal aborted, and the next candidate may start at once.
 * - unreleased: the signal aborted, and the lease has to run out by itself: the work did not end in time, or the server did not take the lease back.
 * - lost: another process may lead by now; the caller should exit.
 */
export type ElectionEnd = "stopped" | "released" | "unreleased" | "lost";

export interface Election {
  /**
   * Campaigns, leads once, and resolves when that is over.
   * @throws what `onStarted` threw, after the lease has been released
   */
  run(signal: AbortSignal, callbacks: ElectionCallbacks): Promise<ElectionEnd>;
  /**
   * Permission for one write; give it to createClient.
   * @throws FencedError while this process does not lead, or cannot be sure
   */
  fence(): AbortSignal;
  isLeader(): boolean;
}

/**
 * Elects one leader among processes by a Lease (coordination.k8s.io/v1).
 *
 * Guarantees: every write of the lease carries the resourceVersion it rests on; a lease is taken only when it was released, or has
 * not changed for its full duration by the candidate's own monotonic clock; a leader stops writing a third of the duration before others may take over,
 * without needing to reach the server for that. One try of a renewal that hangs costs nothing: another goes out while there is time.
 *
 * Candidates watch the one lease, so that waiting costs no requests and a released lease is taken at once; while the watch does not
 * work, they ask every other retry time. RBAC: create, get, list, patch, watch on leases.
 */
export function createElection(options: ElectionOptions): Election {
  const { client, namespace, name, identity, clock = systemClock, random = Math.random } = options;
  const {
    leaseDurationMs = 15_000,
    renewIntervalMs = 5_000,
    renewDeadlineMs = 10_000,
    retryMs = 1_000,
  } = options;
  const { stallMs = 2_000, graceMs = 5_000, metrics = createKubeMetrics() } = options;
  const log = (options.log ?? silentLog).child({ lease: `${namespace}/${name}`, identity });
  /** Half of what is left of a term when a renewal is due, less the wait after a failure: there is time for another try after one that hangs. */
  const patienceMs = Math.max(0, (renewDeadlineMs - renewIntervalMs - retryMs) / 2);
  let term: Term | undefined;
  metrics.leader.set({ lease: name }, 0);

  const claim = (previous: LeaseSpec | undefined): LeaseSpec => ({
    holderIdentity: identity,
    leaseDurationSeconds: Math.max(1, Math.ceil(leaseDurationMs / 1000)),
    acquireTime: microTime(clock.now()),
    renewTime: microTime(clock.now()),
    leaseTransitions: previous === undefined ? 0 : (previous.leaseTransitions ?? 0) + 1,
  });

  const patch = (resourceVersion: string, spec: LeaseSpec, call: CallOptions): Promise<Lease> =>
    client.mergePatch<Lease>(
      resources.leases,
      namespace,
      name,
      { metadata: { resourceVersion }, spec },
      call,
    );

  const create = (call: CallOptions): Promise<Lease> => {
    const body = { metadata: { namespace, name }, spec: claim(undefined) };
    return client.create<Lease>(resources.leases, body, call);
  };

  const read = async (signal: AbortSignal): Promise<Lease | undefined> => {
    try {
      const call = { signal, deadlineMs: renewDeadlineMs / 2 };
      return await client.get<Lease>(resources.leases, namespace, name, call);
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  };

  /** Waits until the lease is ours. Undefined when the signal aborts first. */
  async function campaign(signal: AbortSignal): Promise<{ lease: Lease; sentAtMs: number } | undefined> {
    const over = new AbortController();
    const linked = linkSignals([signal, over.signal]);
    const fieldSelector = `metadata.name=${name}`;
    const informer = createInformer<Lease>({
      client,
      resource: resources.leases,
      namespace,
      fieldSelector,
      clock,
      log,
      random,
    });
    let wake = new AbortController();
    let lease: Lease | undefined;
    informer.onChange(({ kind, object }) => {
      lease = kind === "deleted" ? undefined : object;
    });
    informer.onProgress(() => wake.abort());
    void informer.start(linked.signal);
    let seen: Observation | undefined;
    try {
      while (!signal.aborted) {
        wake = new AbortController();
        const watched = informer.health().phases[0] === "watching";
        if (!watched) lease = await read(signal).catch(() => lease);
        seen = lease && observe(seen, lease, clock.monotonic());
        const waitMs = seen ? waitBeforeTakingMs(seen, identity, clock.monotonic()) : 0;
        if (waitMs > 0) {
          await pause(watched ? waitMs : Math.min(waitMs, 2 * retryMs), [linked.signal, wake.signal]);
          continue;
        }
        const sentAtMs = clock.monotonic();
        try {
          const call = { signal, deadlineMs: renewDeadlineMs / 2 };
          const won = lease
            ? await patch(lease.metadata.resourceVersion, claim(lease.spec), call)
            : await create(call);
          return { lease: won, sentAtMs };
        } catch (error) {
          if (signal.aborted) break;
          const beaten = isConflict(error) || isAlreadyExists(error) || isNotFound(error);
          if (!beaten) log.warn({ err: error }, "the lease could not be taken; trying again");
          await pause(retryMs * (0.5 + random()), [linked.signal, wake.signal]);
          // The watch has usually brought the winner's record by now, but it may be broken.
          if (!wake.signal.aborted) lease = await read(signal).catch(() => lease);
        }
      }
      return undefined;
    } finally {
      // The watch ends by itself: who has won has a lease to renew.
      over.abort();
      linked.release();
    }
  }

  /** Whether the promise settles in time; leaves no timer behind, which would keep the process alive. */
  async function endsWithin(body: Promise<void>, ms: number): Promise<boolean> {
    const settled = new AbortController();
    const inTime = body.then(() => true);
    const late = sleep(clock, ms, settled.signal).then(() => false);
    const result = await Promise.race([inTime, late]);
    settled.abort();
    return result;
  }

  async function pause(ms: number, signals: readonly AbortSignal[]): Promise<void> {
    const linked = linkSignals(signals);
    await sleep(clock, ms, linked.signal);
    linked.release();
  }

  /** Renews until the term ends or the signal aborts. Returns the version that a release must rest on. */
  async function keep(
    current: Term,
    won: { lease: Lease; sentAtMs: number },
    stalled: () => AbortSignal,
    signal: AbortSignal,
  ): Promise<string> {
    let { resourceVersion } = won.lease.metadata;
    // The term counts from when the last write was sent, and so does the next one.
    const dueInMs = (lastSentAtMs: number): number => lastSentAtMs + renewIntervalMs - clock.monotonic();
    let waitMs = dueInMs(won.sentAtMs);
    while (!signal.aborted && !current.signal.aborted) {
      await pause(waitMs, [signal, current.signal, stalled()]);
      if (signal.aborted || current.signal.aborted) break;
      try {
        const renew = (trying: AbortSignal): Promise<Lease> => {
          const spec = { holderIdentity: identity, renewTime: microTime(clock.now()) };
          return patch(resourceVersion, spec, { signal: trying, deadlineMs: renewDeadlineMs });
        };
        const renewed = await hedged(renew, { clock, patienceMs, signal: current.signal });
        resourceVersion = renewed.answer.metadata.resourceVersion;
        current.renewed(renewed.sentAtMs);
        metrics.leaseRenewals.inc({ lease: name, result: "renewed" });
        waitMs = dueInMs(renewed.sentAtMs);
      } catch (error) {
        if (current.signal.aborted) break;
        metrics.leaseRenewals.inc({ lease: name, result: "failed" });
        log.warn({ err: error }, "the lease could not be renewed; trying again until the deadline");
        waitMs = retryMs * (0.5 + random() / 2);
        if (!isConflict(error) && !isNotFound(error)) continue;
        // Our own earlier try may have arrived without an answer; or somebody else holds it, or deleted it.
        const look = await hedged(read, { clock, patienceMs, signal: current.signal }).catch(() => null);
        if (look === null) continue;
        const found = look.answer;
        if (found?.spec?.holderIdentity !== identity)
          current.end("leadership ended: another process holds the lease");
        else resourceVersion = found.metadata.resourceVersion;
        waitMs = 0;
      }
    }
    return resourceVersion;
  }

  async function lead(
    won: { lease: Lease; sentAtMs: number },
    signal: AbortSignal,
    callbacks: ElectionCallbacks,
  ): Promise<ElectionEnd> {
    let stall = new AbortController();
    const current = startTerm({
      clock,
      sentAtMs: won.sentAtMs,
      renewDeadlineMs,
      stallMs,
      onStall: () => {
        metrics.eventLoopStalls.inc();
        log.warn({}, "the event loop stood still; nothing is written before the lease is renewed");
        stall.abort();
      },
    });
    const stalled = (): AbortSignal => {
      if (stall.signal.aborted) stall = new AbortController();
      return stall.signal;
    };
    // Work is asked to end first; what it has on the wire may still arrive while the term lasts.
    const work = linkSignals([signal, current.signal]);
    term = current;
    metrics.leader.set({ lease: name }, 1);
    log.info({}, "leading");
    let failure: { error: unknown } | undefined;
    const body = (async () => callbacks.onStarted(work.signal))().catch((error: unknown) => {
      failure = { error };
      current.end("leadership ended: the leader's work failed");
    });
    const resourceVersion = await keep(current, won, stalled, signal);
    const lost = current.signal.aborted && failure === undefined;
    const ended = await endsWithin(body, graceMs);
    current.end("leadership ended: shutting down");
    work.release();
    term = undefined;
    metrics.leader.set({ lease: name }, 0);
    callbacks.onStopped();
    if (lost) log.error({}, "leadership was lost");
    // It may still have a write on the wire.
    else if (!ended)
      log.warn({}, "the work did not end in time; the lease is not released and runs out by itself");
    const isReleased = !lost && ended && (await release(resourceVersion));
    if (failure) throw failure.error;
    if (lost) return "lost";
    return isReleased ? "released" : "unreleased";
  }

  async function release(resourceVersion: string): Promise<boolean> {
    const spec = { holderIdentity: "", leaseDurationSeconds: 1, renewTime: microTime(clock.now()) };
    try {
      await patch(resourceVersion, spec, { deadlineMs: 2_000 });
      log.info({}, "the lease was released");
      return true;
    } catch (error) {
      log.warn({ err: error }, "the lease could not be released; it runs out by itself");
      return false;
    }
  }

  return {
    async run(signal, callbacks) {
      const won = await campaign(signal);
      return won ? lead(won, signal, callbacks) : "stopped";
    },
    fence() {
      if (!term) throw new FencedError("this process does not lead");
      return term.fence();
    },
    isLeader: () => term !== undefined && !term.signal.aborted,
  };
}
