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
  readonly atMs: number;
}

/**
 * What kubelet says of pods that do not start although their status gives no reason: a Secret or ConfigMap that is missing.
 *
 * Read from Events and not from the Secrets themselves, so that the operator needs no right on Secrets at all. Costs one request a
 * stuck pod every 10 s, and none while all is well.
 */
export async function kubeletReasons(
  client: KubeClient,
  namespace: string,
  pods: readonly ObservedPod[],
  known: Readonly<Record<string, KubeletReason>>,
  nowMs: number,
): Promise<Record<string, KubeletReason>> {
  const stuck = pods
    .filter((pod) => !pod.terminating && !pod.finished && !pod.ready && nowMs - pod.createdMs > PATIENCE_MS)
    .filter((pod) => pod.waiting?.reason === "ContainerCreating")
    .slice(0, MOST_PODS);
  const entries = await Promise.all(
    stuck.map(async (pod) => {
      const before = known[pod.name];
      if (before && nowMs - before.atMs < REPEAT_MS) return [pod.name, before] as const;
      return [pod.name, { message: await lastWarning(client, namespace, pod), atMs: nowMs }] as const;
    }),
  );
  return Object.fromEntries(entries);
}

async function lastWarning(client: KubeClient, namespace: string, pod: ObservedPod): Promise<string> {
  try {
    const events = await client.list<CoreEvent>(resources.coreEvents, {
      namespace,
      fieldSelector: `involvedObject.uid=${pod.uid},type=Warning`,
    });
    const newest = [...events]
      .sort((a, b) => (a.lastTimestamp ?? "").localeCompare(b.lastTimestamp ?? ""))
      .at(-1);
    return newest?.message?.slice(0, 300) ?? "";
  } catch {
    // Only an explanation is lost; without the right to list Events the pod is simply "not ready".
    return "";
  }
}
