import type { KubeClient } from "../kube/client.ts";
import { type Clock, systemClock } from "../kube/clock.ts";
import {
  type Controller,
  createController,
  type ReconcileContext,
  type ReconcileResult,
} from "../kube/controller.ts";
import { FencedError } from "../kube/errors.ts";
import type { Log } from "../kube/log.ts";
import type { KubeMetrics } from "../kube/metrics.ts";
import { isBeingDeleted, type KubeObject, keyOf, type ObjectKey } from "../kube/object.ts";
import { createOwnWrites } from "../kube/own-writes.ts";
import type { Recorder } from "../kube/recorder.ts";
import { unlessAborted } from "../kube/signals.ts";
import type { Notifier } from "../notify/notifier.ts";
import type { MetricSource, Reading } from "../prometheus/source.ts";
import type { FleetRules } from "../rollout/fleet/rules.ts";
import { apply, isRefused, type Outside } from "./apply.ts";
import { bridgesReading, type Caches, isWhole, LLMBRIDGES } from "./caches.ts";
import { behindOf, catchUp, isActing, type TermVersions, versionsNow } from "./catch-up.ts";
import type { Contests } from "./contest.ts";
import { isShownBy, type OnFound } from "./create-child.ts";
import { decideOrLeave } from "./decide-or-leave.ts";
import { createFleetBook } from "./fleet-book.ts";
import type { Gates } from "./gates.ts";
import type { HttpRoutes } from "./http-routes.ts";
import { keepSecret } from "./keep-secret.ts";
import { createKnownBridges, type Known } from "./known-bridges.ts";
import type { Memory } from "./memory.ts";
import type { BridgeMetrics } from "./metrics.ts";
import type { BridgeRef } from "./names.ts";
import type { AnalysisSettings } from "./observe/analysis.ts";
import type { ConfigMaps } from "./observe/config-maps.ts";
import { createMeasuring } from "./observe/measuring.ts";
import type { SecretContents } from "./observe/secret-contents.ts";
import { observe, refOf } from "./observe.ts";
import type { Plan } from "./plan.ts";
import type { PodMonitors } from "./pod-monitors.ts";
import { problemOf } from "./problem.ts";
import type { WantedContent } from "./references.ts";
import { report, withNotified, withoutProgress, writeDueInMs } from "./report.ts";
import type { Snapshot, WriteProblem } from "./snapshot.ts";
import { deleteBridge } from "./take-over/deletion.ts";
import { TAKE_OVER_FINALIZER } from "./take-over/observed.ts";
import { outsideOf } from "./take-over/outside.ts";
import { connectTriggers } from "./triggers.ts";
import { createUnreadReports, ReadRefused, type Unread, unreadIn } from "./unread.ts";

export interface BridgeControllerOptions {
  readonly client: KubeClient;
  readonly caches: Caches;
  readonly source: (name: string, namespace: string) => Reading<MetricSource>;
  /** Calls the listener when what sources answer may be another than before, so that it is of use to look again. */
  readonly onSources?: (listener: () => void) => void;
  /** What the administrator says of all bridges together, as of now. */
  readonly fleet: () => FleetRules;
  readonly configMaps: ConfigMaps;
  readonly secretContents: SecretContents;
  /** The administrator's analyses, as of now. */
  readonly analyses: () => AnalysisSettings;
  readonly gates: Gates;
  readonly podMonitors: PodMonitors;
  readonly httpRoutes: HttpRoutes;
  readonly recorder: Recorder;
  /** Told of decisions once they are stored. Default: nobody is. */
  readonly notifier?: Notifier;
  readonly metrics: BridgeMetrics;
  readonly kubeMetrics: KubeMetrics;
  readonly log: Log;
  /** Version of the operator, noted on what it renders. */
  readonly version: string;
  readonly clock?: Clock;
}

/** A write that the API server refused, or a namespace that may not be read, is tried again after this, or when something changes. */
const REFUSED_RETRY_MS = 15_000;

/**
 * The LLMBridge controller: observe, decide, apply, report, once per key at a time.
 *
 * Its memory holds nothing that may not be lost: a restart reads the evidence since the last checkpoint again, and scaling holds until it
 * has seen a whole window.
 *
 * Before the first look at a bridge it is read by quorum, and the look waits until the cache is as new: what a leader before this
 * one wrote last may be newer than the cache, and its age cannot be told. So it is after a status write that failed or was not answered.
 * However long the cache takes, nothing is decided on a bridge that is known to be out of date: that writes of children are bound to what
 * they rest on (apply.ts) does not help where the children are new and the bridge is old.
 *
 * Before the first act on a bridge, so are its children and pods: a write is bound to the version of its own object, and what is decided on another
 * one, such as taking pods away because traffic has left them, is not. A bridge that rests costs nothing.
 */
export function createBridgeController(options: BridgeControllerOptions): Controller {
  const { client, caches, clock = systemClock, log } = options;
  const ownWrites = createOwnWrites({ clock, metrics: options.kubeMetrics });
  for (const informer of caches.all) ownWrites.observe(informer, { strict: informer === caches.bridges });
  const fleet = createFleetBook({
    ...{ bridges: caches.bridges, rules: options.fleet, clock },
    onTurn: (key) => controller.enqueue(key, { priority: "child" }),
  });
  options.httpRoutes.onCopy((copy) => ownWrites.observe(copy));
  const unreadReports = createUnreadReports(caches.bridges);
  const measuring = createMeasuring({ clock, onLate: (key) => controller.enqueue(key) });

  const forget = (key: ObjectKey): void => {
    const uid = known.forget(key);
    if (uid !== undefined) options.notifier?.forget(uid);
    measuring.forget(key);
    unreadReports.forget(key);
    options.gates.forget(key);
    options.secretContents.forget(key);
    options.metrics.forget(key);
  };

  /** After the status is stored, so that a pass that is repeated, here or by another operator, tells and counts nothing twice. */
  const announce = (bridge: BridgeRef, plan: Plan): void => {
    if (plan.ended) options.metrics.ended(plan.ended);
    const { group, version, kind } = LLMBRIDGES;
    const regarding = { apiVersion: `${group}/${version}`, kind, metadata: bridge };
    for (const event of plan.events) options.recorder.record({ regarding, ...event });
    options.notifier?.tell(bridge, plan.decisions, plan.status);
    for (const decision of plan.decisions) log.info({ ...decision, ...bridge }, decision.message);
    options.metrics.observe(bridge, plan);
  };
  const known = createKnownBridges({ client, ownWrites, clock, onStored: announce });

  const decidePass = async (
    object: KubeObject,
    { memory, problem }: Known,
    signal: AbortSignal,
  ): Promise<{ snapshot: Snapshot; plan: Plan; memory: Memory; bug?: unknown }> => {
    const dependencies = {
      client,
      caches,
      source: options.source,
      analyses: options.analyses,
      podMonitor: options.podMonitors.stateOf,
      route: options.httpRoutes.look,
      gates: options.gates.look,
      measuring,
      readConfigMaps: (namespace: string, names: readonly string[]) =>
        unlessAborted(options.configMaps.read(namespace, names, signal), signal),
      // What it reads is read once for all bridges, and goes on for the others.
      readSecrets: (bridge: BridgeRef, wanted: readonly WantedContent[]) =>
        unlessAborted(options.secretContents.read(bridge, wanted), signal),
      now: clock.now,
      signal,
      rendererVersion: options.version,
    };
    const observed = await observe(dependencies, object, memory, problem);
    signal.throwIfAborted();
    // Nothing is awaited between the look at the others and the note of what was decided on it: two bridges cannot take one place.
    const after = observed.spec.ok ? (observed.spec.value.rollout.after ?? []) : [];
    const snapshot: Snapshot = { ...observed, rollouts: fleet.view(observed.bridge, after) };
    const decision = decideOrLeave(snapshot);
    if (decision.plan.statusScope === "Whole") fleet.note(observed.bridge, decision.plan.status);
    else fleet.revoke(observed.bridge);
    return { snapshot, ...decision };
  };

  const reconcile = async (key: ObjectKey, context: ReconcileContext): Promise<ReconcileResult> => {
    try {
      return await look(key, context);
    } catch (error) {
      const cached = caches.bridges.store.get(key.namespace, key.name);
      if (!cached || !(error instanceof ReadRefused)) throw error;
      return leaveUnread(cached, error.unread, context);
    }
  };

  const look = async (key: ObjectKey, context: ReconcileContext): Promise<ReconcileResult> => {
    const cached = caches.bridges.store.get(key.namespace, key.name);
    if (!cached || isBeingDeleted(cached)) {
      // Children go by their owner reference; what was taken over is given back first.
      forget(key);
      if (!cached?.metadata.finalizers?.includes(TAKE_OVER_FINALIZER)) return { kind: "done" };
      return deleteBridge(client, cached, clock.now(), context.signal);
    }
    if (!isWhole(caches, key.namespace)) return leaveUnread(cached, unreadIn(caches, key.namespace), context);
    unreadReports.forget(key);
    const { uid } = cached.metadata;
    const before = await known.recall(key, uid, context.signal);
    // The cache may have moved on while the bridge was read.
    const object = caches.bridges.store.get(key.namespace, key.name);
    // Taken up again as soon as the cache shows what was read.
    if (before === "Behind" || object?.metadata.uid !== uid || isBeingDeleted(object))
      return { kind: "requeueAfter", ms: 0 };
    fleet.seen(key);
    const bridge = refOf(object);
    const writer = ownWrites.clientFor(key, client, context.progressed);
    const behind = before.isCaughtUp ? [] : behindOf(caches, key.namespace, termVersions);
    const { snapshot, plan: wanted, memory, bug } = await decidePass(object, before, context.signal);
    const catchesUp = !before.isCaughtUp && isActing(snapshot, wanted);
    if (catchesUp && (await catchUp({ client, ownWrites }, snapshot, behind, context.signal))) {
      known.note(key, { ...before, isCaughtUp: true });
      fleet.revoke(key);
      // Decided anew: what was asked for may have come in the meantime.
      return { kind: "requeueAfter", ms: 0 };
    }
    const changesBridge = wanted.writes.some(({ kind }) => kind === "Finalizer");
    // What a deletion would have to undo is not begun before that is sure to be seen.
    const held = wanted.writes.find((one) => one.kind === "Finalizer" && one.change === "Add");
    // What has begun under this process it has followed from there on.
    const hasBegun = snapshot.status.rollout !== undefined || snapshot.unreadableStatus !== undefined;
    const isCaughtUp = before.isCaughtUp || catchesUp || !hasBegun;
    const told = { ...before, isTold: true, isCaughtUp };
    if (!before.isTold) {
      options.notifier?.resume(bridge, snapshot.status);
      // Noted before anything is written: what is thrown on the way has the pass repeated.
      known.note(key, told);
    }
    const problem = await tryApply(
      writer,
      bridge,
      held ? { ...wanted, writes: [held] } : wanted,
      { contests: before.contests, outside: outsideFor(object, bridge, writer) },
      context,
      onFound(key),
    );
    if (problem || changesBridge) fleet.revoke(key);
    // The bridge is another one than was read by now; nothing is reported of what was not looked at.
    if (!problem && changesBridge) return { kind: "requeueAfter", ms: 0 };
    const plan = withNotified(
      problem ? withoutProgress(wanted, snapshot.status) : wanted,
      options.notifier?.settledThroughMs(uid),
    );
    const after = { ...told, problem };
    const dueInMs = await reportPlan(writer, object, { snapshot, plan, memory, after }, context.signal);
    // Told where the bridge's people look; now the key backs off alone.
    if (bug !== undefined) throw bug;
    if (problem) {
      context.log.warn({ problem: problem.kind }, problem.message);
      // At once where it has not been reported yet.
      return { kind: "requeueAfter", ms: before.problem ? REFUSED_RETRY_MS : 0 };
    }
    if (before.problem) return { kind: "requeueAfter", ms: 0 };
    const wakes = [plan.wakeAfterMs, dueInMs].filter((ms) => ms !== undefined);
    return wakes.length === 0 ? { kind: "done" } : { kind: "requeueAfter", ms: Math.min(...wakes) };
  };

  /** It is left alone, and nobody waits for a look at it. */
  const leaveUnread = async (
    object: KubeObject,
    unread: Unread | undefined,
    { signal, log: keyLog }: ReconcileContext,
  ): Promise<ReconcileResult> => {
    const bridge = refOf(object);
    fleet.seen(bridge);
    const writer = ownWrites.clientFor(bridge, client);
    const about = unread && { unread, nowMs: clock.now() };
    const plan = about && (await unreadReports.report(writer, object, about, signal));
    if (plan) {
      options.metrics.observe(bridge, plan);
      keyLog.warn({ unread }, "the bridge is left alone: what it needs may not be read");
    }
    return { kind: "requeueAfter", ms: REFUSED_RETRY_MS };
  };

  const onFound =
    (key: ObjectKey): OnFound =>
    (resource, found) => {
      ownWrites.wrote(key, resource, found, { strict: true });
      return isShownBy(
        caches.all.find((one) => one.resource.plural === resource.plural),
        found,
      );
    };

  const outsideFor = (object: KubeObject, bridge: BridgeRef, writer: KubeClient): Outside => {
    const takeOver = outsideOf(client, object, writer);
    const copying = { client, contents: options.secretContents };
    return (write, signal) =>
      write.kind === "KeepSecret" ? keepSecret(copying, bridge, write, signal) : takeOver(write, signal);
  };

  /** @returns milliseconds until the status is worth a write; undefined: not before something changes */
  const reportPlan = async (
    writer: KubeClient,
    object: KubeObject,
    pass: {
      readonly snapshot: Snapshot;
      readonly plan: Plan;
      readonly memory: Memory;
      readonly after: Known;
    },
    signal: AbortSignal,
  ): Promise<number | undefined> => {
    const { snapshot, plan, memory, after } = pass;
    const { bridge, status, nowMs } = snapshot;
    const dueInMs = writeDueInMs(status, plan.status, memory.statusWrittenMs, nowMs);
    if (dueInMs !== 0) {
      known.note(bridge, { ...after, memory });
      announce(bridge, plan);
      return dueInMs;
    }
    const written = { ...memory, statusWrittenMs: nowMs };
    known.note(bridge, { ...after, unanswered: { plan, memory: written } });
    const { resourceVersion } = object.metadata;
    try {
      const result = await report(writer, { ...bridge, resourceVersion }, plan, signal);
      if (result === "Gone") ownWrites.deleted(bridge, LLMBRIDGES, bridge.namespace, bridge.name, bridge.uid);
    } catch (error) {
      // For certain not stored, and nothing newer was met.
      if (isRefused(error) || error instanceof FencedError) known.note(bridge, after);
      throw error;
    }
    known.note(bridge, { ...after, memory: written });
    announce(bridge, plan);
    return undefined;
  };

  const controller = createController({
    name: "llmbridge",
    reconcile,
    ownWrites,
    clock,
    log,
    metrics: options.kubeMetrics,
  });
  let hasBegun = false;
  /** Empty until the API server has said so. */
  let termVersions: TermVersions = new Map();
  connectTriggers(caches, (key, add) => {
    // Nothing is remembered yet of a bridge that is gone; the keys of all that come and go would pile up in a standby.
    if (!hasBegun && !caches.bridges.store.get(key.namespace, key.name)) controller.drop(key);
    else controller.enqueue(key, add);
  });
  options.configMaps.onChange((configMap) => {
    for (const bridge of bridgesReading(caches, configMap))
      controller.enqueue(keyOf(bridge), { priority: "user" });
  });
  options.secretContents.onChange((key) => controller.enqueue(key, { priority: "user" }));
  options.gates.onAnswer((key) => controller.enqueue(key, { priority: "child" }));
  options.podMonitors.onState((key) => controller.enqueue(key, { priority: "resync" }));
  options.httpRoutes.onChange((key) => controller.enqueue(key, { priority: "child" }));
  options.onSources?.(() => {
    for (const bridge of caches.bridges.store.list())
      controller.enqueue(keyOf(bridge), { priority: "resync" });
  });
  return {
    enqueue: controller.enqueue,
    drop: controller.drop,
    longestRunningMs: controller.longestRunningMs,
    run(signal) {
      hasBegun = true;
      fleet.begin();
      void versionsNow(client, caches, signal).then((versions) => {
        termVersions = versions;
      });
      return controller.run(signal);
    },
    get depth() {
      return controller.depth;
    },
  };
}

/** Runs the writes; what the API server refuses for good becomes a problem to report, everything else is thrown and tried again. */
async function tryApply(
  client: KubeClient,
  bridge: BridgeRef,
  plan: Plan,
  { contests, outside }: { readonly contests: Contests; readonly outside: Outside },
  context: ReconcileContext,
  onFound: OnFound,
): Promise<WriteProblem | undefined> {
  try {
    await apply(client, bridge, plan.writes, contests, onFound, context.signal, outside);
    return undefined;
  } catch (error) {
    const problem = problemOf(error);
    if (problem) return problem;
    throw error;
  }
}
