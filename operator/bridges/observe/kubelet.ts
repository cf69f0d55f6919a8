import type { KubeClient } from "../../kube/client.ts";
import type { KubeObject } from "../../kube/object.ts";
import { resources } from "../../kube/resources.ts";
import type { ObservedPod } from "./pod.ts";

interface CoreEvent extends KubeObject {
  readonly type?: string;
  readonly reason?: string;
  readonly message?: string;
  readonly lastTimestamp?: string;
}

/** A pod that has waited for its volumes or its sandbox for this long is asked about. */
const PATIENCE_MS = 3_000;
/** The same pod is asked about again after this long. */
const REPEAT_MS = 10_000;
const MOST_PODS = 3;

export interface KubeletReason {
  readonly message: string;
  /** What a volume is to hold does not exist. Anything else may end by itself: a node that comes, a sandbox, a cache that fills late. */
  readonly isMissing: boolean;
  readonly atMs: number;
}

/** kubelet's words for a ConfigMap, a Secret or a key of one that does not exist, as in pkg/volume/configmap, secret and projected. */
const MISSING = /\b(configmap|secret) "[^"]*" not found\b|references non-existent (config|secret) key\b/;
/** Said every two minutes beside the cause, without it. */
const WITHOUT_CAUSE = /^Unable to attach or mount volumes/;

/**
 * What kubelet says of pods that do not start although their status gives no reason, such as a Secret or ConfigMap that is missing.
 *
 * Read from Events and not from the Secrets themselves, so that the operator needs no right on Secrets at all. Costs one request a
 * stuck pod every 10 s, and none while all is well.
 */
export async function kubeletReasons(
  client: Pick<KubeClient, "list">,
  namespace: string,
  pods: readonly ObservedPod[],
  known: Readonly<Record<string, KubeletReason>>,
  nowMs: number,
  signal?: AbortSignal,
): Promise<Record<string, KubeletReason>> {
  const stuck = pods
    .filter((pod) => !pod.terminating && !pod.finished && !pod.ready && nowMs - pod.createdMs > PATIENCE_MS)
    .filter((pod) => pod.waiting?.reason === "ContainerCreating")
    .slice(0, MOST_PODS);
  const entries = await Promise.all(
    stuck.map(async (pod) => {
      const before = known[pod.name];
      if (before && nowMs - before.atMs < REPEAT_MS) return [pod.name, before] as const;
      return [pod.name, { ...(await lastWarning(client, namespace, pod, signal)), atMs: nowMs }] as const;
    }),
  );
  return Object.fromEntries(entries);
}

async function lastWarning(
  client: Pick<KubeClient, "list">,
  namespace: string,
  pod: ObservedPod,
  signal: AbortSignal | undefined,
): Promise<Omit<KubeletReason, "atMs">> {
  try {
    const events = await client.list<CoreEvent>(resources.coreEvents, {
      namespace,
      fieldSelector: `involvedObject.uid=${pod.uid},type=Warning`,
      signal,
    });
    const newest = [...events]
      // A pod that kubelet has begun with has found its node since.
      .filter(({ reason }) => reason !== "FailedScheduling")
      .sort((a, b) => (a.lastTimestamp ?? "").localeCompare(b.lastTimestamp ?? ""));
    const last = newest.findLast(({ message = "" }) => !WITHOUT_CAUSE.test(message)) ?? newest.at(-1);
    const message = last?.message ?? "";
    return {
      message: message.slice(0, 300),
      isMissing: last?.reason === "FailedMount" && MISSING.test(message),
    };
  } catch {
    // Only an explanation is lost; without the right to list Events the pod is simply "not ready".
    return { message: "", isMissing: false };
  }
}
