import type { KubeObject } from "../../operator/kube/object.ts";
import type { BridgeApi } from "../conformance/bridge-api.ts";

/** An image of this tag never starts: kubelet would wait for a volume. */
export const STUCK = "stuck";
/** An image of this tag starts, and is never ready. */
export const UNREADY = "unready";

/** An image of this tag ends well, one of that with exit code 3, and leaves a last word. */
export const SUCCEEDS = "succeeds";
export const FAILS = "fails";
/** An image of this tag cannot be pulled. */
export const NO_IMAGE = "no-image";

export interface PlayedPod extends KubeObject {
  readonly spec: {
    readonly nodeName?: string;
    readonly containers: readonly {
      readonly name: string;
      readonly image: string;
      readonly resources?: object;
    }[];
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

type How = "Runs" | "Unready" | "Stuck" | "NoImage" | "Succeeds" | "Fails" | "Killed";

function beginning({ spec }: PlayedPod): How {
  const is = (tag: string) => spec.containers.some(({ image }) => image.endsWith(`:${tag}`));
  const played = {
    [STUCK]: "Stuck",
    [UNREADY]: "Unready",
    [NO_IMAGE]: "NoImage",
    [SUCCEEDS]: "Succeeds",
    [FAILS]: "Fails",
  } as const;
  return Object.entries(played).find(([tag]) => is(tag))?.[1] ?? "Runs";
}

const PHASES: Readonly<Record<How, string>> = {
  Runs: "Running",
  Unready: "Running",
  Stuck: "Pending",
  NoImage: "Pending",
  Succeeds: "Succeeded",
  Fails: "Failed",
  Killed: "Failed",
};

function statusOf({ spec }: PlayedPod, how: How): object {
  const time = new Date().toISOString().replace(/\.\d+Z$/, "Z");
  const condition = (type: string, status = "True") => ({ type, status, lastTransitionTime: time });
  const ended = (exitCode: number, reason: string, message?: string) => ({
    terminated: { exitCode, reason, message, startedAt: time, finishedAt: time },
  });
  const isWaiting = how === "Stuck" || how === "NoImage";
  const ready = how === "Runs" ? "True" : "False";
  const state = {
    Runs: { running: { startedAt: time } },
    Unready: { running: { startedAt: time } },
    Stuck: { waiting: { reason: "ContainerCreating" } },
    NoImage: { waiting: { reason: "ImagePullBackOff", message: "it is not there" } },
    Succeeds: ended(0, "Completed", "loading\n40 of 40 answers are as good\n"),
    Fails: ended(3, "Error", "loading\n3 of 40 answers are worse\n"),
    Killed: ended(137, "OOMKilled"),
  }[how];
  return {
    phase: PHASES[how],
    startTime: time,
    ...(isWaiting ? {} : { podIP: "10.0.0.1", podIPs: [{ ip: "10.0.0.1" }] }),
    conditions: [
      condition("PodScheduled"),
      ...(isWaiting ? [] : [condition("Initialized")]),
      ...["ContainersReady", "Ready"].map((type) => condition(type, ready)),
    ],
    containerStatuses: spec.containers.map(({ name, image, resources = {} }) => ({
      name,
      image,
      // What kubelet says of a node on which pods can be resized in place.
      resources,
      imageID: image,
      ready: how === "Runs",
      restartCount: 0,
      started: how === "Runs" || how === "Unready",
      state,
    })),
  };
}
