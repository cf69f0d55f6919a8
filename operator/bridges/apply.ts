import { LABELS } from "../../contract/kubernetes.ts";
import type { JsonPatch, KubeClient } from "../kube/client.ts";
import { ApiError, isForbidden, isInvalid, isNamespaceTerminating, isNotFound } from "../kube/errors.ts";
import type { DesiredObject } from "../kube/object.ts";
import { type Resource, resources } from "../kube/resources.ts";
import { Contested, type Contests } from "./contest.ts";
import { createChild, NameConflict, type OnFound } from "./create-child.ts";
import { retirement } from "./ending.ts";
import { type BridgeRef, CAPACITY_MANAGER, FIELD_MANAGER } from "./names.ts";
import type { ChildKind, Write } from "./plan.ts";
import { HTTP_ROUTES } from "./route/http-route.ts";

/** Of the Prometheus Operator; not every cluster serves it. */
export const POD_MONITORS: Resource = {
  group: "monitoring.coreos.com",
  version: "v1",
  plural: "podmonitors",
  kind: "PodMonitor",
  namespaced: true,
};

export const RESOURCE_OF: Record<ChildKind, Resource> = {
  podmonitors: POD_MONITORS,
  httproutes: HTTP_ROUTES,
  jobs: resources.jobs,
  serviceaccounts: resources.serviceAccounts,
  poddisruptionbudgets: resources.podDisruptionBudgets,
  networkpolicies: resources.networkPolicies,
  configmaps: resources.configMaps,
  services: resources.services,
  deployments: resources.deployments,
};

/** Writes what no cache of children shows. */
export type Outside = (write: OutsideWrite, signal: AbortSignal | undefined) => Promise<void>;
export type TakeOverWrite = Extract<Write, { kind: "Foreign" | "Finalizer" }>;
export type KeepSecretWrite = Extract<Write, { kind: "KeepSecret" }>;
export type OutsideWrite = TakeOverWrite | KeepSecretWrite;

export const isOutside = (write: Write): write is OutsideWrite =>
  write.kind === "Foreign" || write.kind === "Finalizer" || write.kind === "KeepSecret";

/** The API server will refuse the same write again, so that only a change elsewhere (a quota, a policy, an object's owner) helps. */
export const isRefused = (error: unknown): error is Error =>
  error instanceof NameConflict ||
  error instanceof Contested ||
  ((isInvalid(error) || isForbidden(error)) && !isNamespaceTerminating(error));

/** Traffic goes where it should whatever else is refused: it was decided on pods that are ready, and a failed canary must get none. */
const movesTraffic = (write: Write): boolean =>
  write.kind === "RouteWeights" ||
  (write.kind === "Foreign" && write.resource === "services") ||
  (write.kind === "Update" && (write.resource === "services" || write.resource === "httproutes"));

/**
 * Executes the writes of a plan in order; the only place besides kube/ that writes children.
 *
 * Every write is bound, so that one decided on a stale cache fails instead of undoing what somebody else has written since: a create
 * succeeds only where the name is free, and who has it is read by quorum where it is not; everything else carries the uid and, except
 * annotations of pods, the resourceVersion it was decided on. A plan that would make what is there already says nothing of it that is worth writing:
 * it ends with a conflict, or is refused where looking again does not help. The first failure is thrown and ends the pass, because the order of the writes is part of their
 * safety. Of what follows a write that was refused for good, Services alone are still updated.
 *
 * @param client remembers what is written, so that the next pass waits until the caches show it
 * @param outside writes what no cache of children shows, such as what is taken over; absent where there is nothing of the kind
 * @param contests remembers what was restored, so that nobody is fought for ever
 */
export async function apply(
  client: KubeClient,
  bridge: BridgeRef,
  writes: readonly Write[],
  contests: Contests,
  onFound: OnFound,
  signal?: AbortSignal,
  outside?: Outside,
): Promise<void> {
  let refusal: Error | undefined;
  for (const write of writes) {
    signal?.throwIfAborted();
    if (refusal && !movesTraffic(write)) continue;
    try {
      contests.permit(write);
      if (isOutside(write)) await outside?.(write, signal);
      else await execute(client, bridge, write, contests, onFound, signal);
      contests.note(write);
    } catch (error) {
      if (!isRefused(error)) throw error;
      refusal ??= error;
    }
  }
  if (refusal) throw refusal;
}

async function execute(
  client: KubeClient,
  bridge: BridgeRef,
  write: Exclude<Write, OutsideWrite>,
  contests: Contests,
  onFound: OnFound,
  signal: AbortSignal | undefined,
): Promise<void> {
  switch (write.kind) {
    case "Create":
      return createChild(
        client,
        bridge,
        { resource: RESOURCE_OF[write.resource], object: write.object },
        contests,
        onFound,
        signal,
      );
    case "Update": {
      const { uid, resourceVersion } = write;
      const metadata = { ...write.object.metadata, uid, resourceVersion };
      const body = { ...write.object, metadata } as DesiredObject;
      await client.apply(RESOURCE_OF[write.resource], body, { fieldManager: FIELD_MANAGER, signal });
      return;
    }
    case "Capacity": {
      const { name, uid, resourceVersion, replicas, track } = write;
      const annotations = retirement(write);
      const body = {
        apiVersion: "apps/v1",
        kind: "Deployment",
        metadata: {
          name,
          namespace: bridge.namespace,
          uid,
          resourceVersion,
          ...(track ? { labels: { [LABELS.track]: track } } : {}),
          ...(Object.keys(annotations).length > 0 ? { annotations } : {}),
        },
        spec: { replicas },
      };
      await client.apply(resources.deployments, body, { fieldManager: CAPACITY_MANAGER, signal });
      return;
    }
    case "RouteWeights": {
      const { name, resourceVersion, changes } = write;
      const patch: JsonPatch = [
        // Places in lists mean what they meant only in the version that was read; in any other this is a conflict and writes nothing.
        { op: "replace", path: "/metadata/resourceVersion", value: resourceVersion },
        ...changes.map(({ rule, backend, weight }) => ({
          op: "add" as const,
          path: `/spec/rules/${rule}/backendRefs/${backend}/weight`,
          value: weight,
        })),
      ];
      await client.jsonPatch(HTTP_ROUTES, bridge.namespace, name, patch, { signal });
      return;
    }
    case "Evict":
      try {
        await client.evict(bridge.namespace, write.name, { uid: write.uid, signal });
      } catch (error) {
        // A disruption budget that has no room now (429), two that select the pod (500), a pod that is gone or another one by now: the next look
        // decides anew, and a restart that comes no further is given up.
        if (!(error instanceof ApiError) || isForbidden(error)) throw error;
      }
      return;
    case "AnnotatePod": {
      const patch = { metadata: { uid: write.uid, annotations: write.annotations } };
      try {
        await client.mergePatch(resources.pods, bridge.namespace, write.name, patch, { signal });
      } catch (error) {
        // A pod that has gone needs no annotation.
        if (!isNotFound(error)) throw error;
      }
      return;
    }
    case "Delete":
      try {
        await client.delete(RESOURCE_OF[write.resource], bridge.namespace, write.name, {
          uid: write.uid,
          resourceVersion: write.resourceVersion,
          // Of a Job the API server would leave the pods behind.
          propagationPolicy: "Background",
          signal,
        });
      } catch (error) {
        if (!isNotFound(error)) throw error;
      }
  }
}
