import type { KubeObject } from "../../operator/kube/object.ts";
import type { BridgeApi } from "../conformance/bridge-api.ts";

/** An image of this tag never starts: kubelet would wait for a volume. */
export const STUCK = "stuck";
/** An image of this tag starts, and is never ready. */
export const UNREADY = "unready";

export interface PlayedPod extends KubeObject {
  readonly spec: {
    readonly nodeName?: string;
    readonly containers: readonly { readonly name: string; readonly image: string }[];
  };
  readonly status?: { readonly phase?: string; readonly containerStatuses?: readonly unknown[] };
}

/**
 * Says the next that kubelet would say of a pod, without running it: that it runs; of one that was told to end, that its process was
 * killed for its memory (the worst that can be said of it), and then that it is gone.
 */
export async function playKubelet(
  api: BridgeApi,
  pod: PlayedPod,
  { hasNodes }: { readonly hasNodes: boolean },
): Promise<void> {
  const { namespace, name, uid, deletionTimestamp } = pod.metadata;
  const path = `/api/v1/namespaces/${namespace}/pods/${name}`;
  const say = (status: object) =>
    api.request("PATCH", `${path}/status`, { status }, "application/merge-patch+json");
  const waitsForNode = hasNodes && pod.spec.nodeName === undefined;
  if (deletionTimestamp === undefined) {
    if (!waitsForNode && !pod.status?.containerStatuses) await say(statusOf(pod, beginning(pod)));
    return;
  }
  // A pod without a node is gone with its deletion.
  if (!hasNodes || waitsForNode) return;
  if (pod.status?.phase !== "Failed") await say(statusOf(pod, "Killed"));
  else await api.request("DELETE", path, { gracePeriodSeconds: 0, preconditions: { uid } });
}

type How = "Runs" | "Unready" | "Stuck" | "Killed";

function beginning({ spec }: PlayedPod): How {
  const is = (tag: string) => spec.containers.some(({ image }) => image.endsWith(`:${tag}`));
  return is(STUCK) ? "Stuck" : is(UNREADY) ? "Unready" : "Runs";
}

function statusOf({ spec }: PlayedPod, how: How): object {
  const time = new Date().toISOString().replace(/\.\d+Z$/, "Z");
  const condition = (type: string, status = "True") => ({ type, status, lastTransitionTime: time });
  const ready = how === "Runs" ? "True" : "False";
  const state = {
    Runs: { running: { startedAt: time } },
    Unready: { running: { startedAt: time } },
    Stuck: { waiting: { reason: "ContainerCreating" } },
    Killed: { terminated: { exitCode: 137, reason: "OOMKilled", startedAt: time, finishedAt: time } },
  }[how];
  return {
    phase: { Runs: "Running", Unready: "Running", Stuck: "Pending", Killed: "Failed" }[how],
    startTime: time,
    ...(how === "Stuck" ? {} : { podIP: "10.0.0.1", podIPs: [{ ip: "10.0.0.1" }] }),
    conditions: [
      condition("PodScheduled"),
      ...(how === "Stuck" ? [] : [condition("Initialized")]),
      ...["ContainersReady", "Ready"].map((type) => condition(type, ready)),
    ],
    containerStatuses: spec.containers.map(({ name, image }) => ({
      name,
      image,
      imageID: image,
      ready: how === "Runs",
      restartCount: 0,
      started: how === "Runs" || how === "Unready",
      state,
    })),
  };
}
