import type { KubeClient } from "../kube/client.ts";
import { type Clock, systemClock } from "../kube/clock.ts";
import { createController, type ReconcileContext, type ReconcileResult } from "../kube/controller.ts";
import type { Log } from "../kube/log.ts";
import type { KubeMetrics } from "../kube/metrics.ts";
import { formatKey, isBeingDeleted, type KubeObject, keyOf, type ObjectKey } from "../kube/object.ts";
import type { Availability } from "../kube/optional-api.ts";
import { createOptionalApis } from "../kube/optional-apis.ts";
import { createOwnWrites } from "../kube/own-writes.ts";
import type { AddOptions } from "../kube/queue.ts";
import { resourceName } from "../kube/resources.ts";
import type { AdministratorSettings } from "../settings/file.ts";
import type { SettingsFile } from "../settings/watch.ts";
import { apply, POD_MONITORS } from "./apply.ts";
import { type Caches, OWNED, ofBridge } from "./caches.ts";
import { type Contests, createContests } from "./contest.ts";
import { isShownBy, type OnFound } from "./create-child.ts";
import { podMonitor } from "./desired/pod-monitor.ts";
import { differenceOf } from "./difference.ts";
import type { BridgeRef } from "./names.ts";
import { refOf } from "./observe.ts";
import type { ChildObject } from "./plan.ts";
import { problemOf } from "./problem.ts";
import type { PodMonitorState, WriteProblem } from "./snapshot.ts";
import { childFacts, watchOwned } from "./triggers.ts";
import { runWhileWanted } from "./while-wanted.ts";

export interface PodMonitorsOptions {
  readonly client: KubeClient;
  readonly caches: Caches;
  readonly settings: SettingsFile;
  /** Namespaces that are watched. Default: all; then the definition of the API is watched too. */
  readonly namespaces?: readonly string[] | undefined;
  readonly kubeMetrics: KubeMetrics;
  readonly log: Log;
  readonly clock?: Clock;
}

/**
 * Keeps a PodMonitor for each bridge, where the administrator asks for them and their API is served.
 *
 * A lane of its own beside the rollout: nothing that happens to a PodMonitor or its API holds up, fails or repeats a pass of the bridge,
 * whose status only says what became of it. While none are asked for, the API server is asked for nothing; those that were made stay with
 * their bridges.
 */
export interface PodMonitors {
  /** What there is to say of a bridge's; undefined while none are asked for. */
  stateOf(bridge: BridgeRef): PodMonitorState | undefined;
  /** Calls the listener when there is something else to say of a bridge's than its status says. */
  onState(listener: (key: ObjectKey) => void): void;
  /** Follows the settings, the API and what there is of it until the signal aborts; never rejects. May be called once. */
  follow(signal: AbortSignal): Promise<void>;
  /** Writes until the signal aborts; never rejects. */
  run(signal: AbortSignal): Promise<void>;
}

/** A write that was refused is tried again after this, or when something changes. */
const RETRY_MS: Readonly<Record<WriteProblem["kind"], number>> = {
  WriteRefused: 5 * 60_000,
  NameConflict: 60_000,
  NotCleanedUp: 15_000,
  Contested: 15_000,
};

const API = resourceName(POD_MONITORS);
const WAITING: PodMonitorState = { status: "Unknown", reason: "Waiting", message: "It is being looked at." };

interface Known {
  readonly namespace: string;
  readonly uid: string;
  readonly contests: Contests;
  state: PodMonitorState;
}

export function createPodMonitors(options: PodMonitorsOptions): PodMonitors {
  const { client, caches, settings, namespaces, kubeMetrics: metrics, log, clock = systemClock } = options;
  const known = new Map<string, Known>();
  const listeners: ((key: ObjectKey) => void)[] = [];
  const ownWrites = createOwnWrites({ clock, metrics });
  const api = createOptionalApis<KubeObject>({
    ...{ client, clock, log, metrics, resource: POD_MONITORS, namespaces },
    ...OWNED,
    watchDefinition: namespaces === undefined,
  });

  const knownOf = (bridge: BridgeRef): Known => {
    const found = known.get(formatKey(bridge));
    if (found?.uid === bridge.uid) return found;
    const contests = createContests({ clock, creations: true });
    const fresh = { namespace: bridge.namespace, uid: bridge.uid, contests, state: WAITING };
    known.set(formatKey(bridge), fresh);
    return fresh;
  };

  const stateOf: PodMonitors["stateOf"] = (bridge) => {
    if (!settings.current().podMonitors) return undefined;
    const found = known.get(formatKey(bridge));
    return (
      stateFor(api.availability(bridge.namespace)) ?? (found?.uid === bridge.uid ? found.state : WAITING)
    );
  };

  const tell = (object: KubeObject): void => {
    if (isSaid(object, stateOf(refOf(object)))) return;
    for (const listener of listeners) listener(keyOf(object));
  };

  const reconcile = async (key: ObjectKey, context: ReconcileContext): Promise<ReconcileResult> => {
    const object = caches.bridges.store.get(key.namespace, key.name);
    const wanted = wantedBy(settings.current());
    if (!wanted || !object || isBeingDeleted(object)) {
      known.delete(formatKey(key));
      return { kind: "done" };
    }
    const copy = api.current(key.namespace);
    // The key comes back with the API.
    if (!copy) return { kind: "done" };
    const bridge = refOf(object);
    const mine = knownOf(bridge);
    const desired = podMonitor(bridge, wanted);
    const existing = ofBridge(copy, key, bridge.uid).find(({ metadata }) => metadata.name === bridge.name);
    const child = { resource: "podmonitors", object: desired } as const;
    const writes = differenceOf(child, existing as ChildObject | undefined);
    let problem: WriteProblem | undefined;
    try {
      const writer = ownWrites.clientFor(key, client, context.progressed);
      const onFound: OnFound = (resource, found) => {
        ownWrites.wrote(key, resource, found, { strict: true });
        return isShownBy(copy, found);
      };
      await apply(writer, bridge, writes, mine.contests, onFound, context.signal);
    } catch (error) {
      problem = problemOf(error);
      if (!problem) throw error;
      context.log.warn({ problem: problem.kind }, problem.message);
    }
    mine.state = problem
      ? { status: "False", reason: problem.kind, message: problem.message }
      : { status: "True", reason: "Applied", message: "Its pods are scraped by a PodMonitor of its name." };
    tell(object);
    return problem ? { kind: "requeueAfter", ms: RETRY_MS[problem.kind] } : { kind: "done" };
  };

  const controller = createController({ name: "podmonitor", reconcile, ownWrites, clock, log, metrics });
  let hasBegun = false;
  // Nothing is remembered yet of a bridge that is gone; the keys of all that come and go would pile up in a standby.
  const enqueue = (key: ObjectKey, add: AddOptions): void => {
    if (!hasBegun && !caches.bridges.store.get(key.namespace, key.name)) controller.drop(key);
    else controller.enqueue(key, add);
  };
  const lookAtAll = (): void => {
    for (const bridge of caches.bridges.store.list()) {
      controller.enqueue(keyOf(bridge), { priority: "resync" });
      tell(bridge);
    }
  };
  caches.bridges.onChange(({ kind, object }) => {
    if (kind !== "updated") enqueue(keyOf(object), { priority: "resync" });
  });
  api.onCopy((copy, holds) => {
    const ends = [ownWrites.observe(copy), watchOwned(copy, childFacts, enqueue)];
    return () => {
      for (const end of ends) end();
      // What was said of them went with them.
      for (const [id, { namespace }] of known) if (holds(namespace)) known.delete(id);
    };
  });
  api.onAvailability(lookAtAll);

  return {
    stateOf,
    onState: (listener) => void listeners.push(listener),
    run(signal) {
      hasBegun = true;
      return controller.run(signal);
    },
    async follow(signal) {
      const isWanted = ({ podMonitors }: AdministratorSettings): boolean => podMonitors !== undefined;
      const following = runWhileWanted({ settings, isWanted, start: api.start }, signal);
      settings.onChange(lookAtAll);
      await following;
    },
  };
}

function wantedBy({ podMonitors, sources }: AdministratorSettings) {
  return podMonitors && { ...podMonitors, sources: sources.map(({ labels }) => labels) };
}

/** What holds for every bridge; undefined while the API is served, or not known of. */
function stateFor(availability: Availability): PodMonitorState | undefined {
  switch (availability.kind) {
    case "Absent":
      return {
        status: "False",
        reason: "ApiAbsent",
        message: `The API server does not serve ${API}, so there is no PodMonitor; it is made as soon as the Prometheus Operator's CustomResourceDefinitions are installed.`,
      };
    case "Forbidden":
      return {
        status: "False",
        reason: "ApiForbidden",
        message: `The operator may not use ${API}, so PodMonitors are left alone; give it the right to, as its chart does where settings.podMonitors is set. It is tried again every few minutes. ${availability.message.slice(0, 400)}`,
      };
    default:
      return undefined;
  }
}

/** Whether a bridge's status says it already; what is not known need not be said. */
function isSaid(object: KubeObject, state: PodMonitorState | undefined): boolean {
  const { status } = object as { status?: { conditions?: readonly (PodMonitorState & { type: string })[] } };
  const said = status?.conditions?.find(({ type }) => type === "PodMonitorApplied");
  if (!state) return said === undefined;
  if (state.status === "Unknown") return true;
  return said?.status === state.status && said.reason === state.reason && said.message === state.message;
}
