import { type Family, familyOf } from "../family.ts";
import { SAMPLE_NOW_MS, sampleBridge } from "./sample-bridge.ts";

const minutesAgo = (minutes: number) => new Date(SAMPLE_NOW_MS - minutes * 60_000).toISOString();

/** A Deployment as the API server stores it. */
export const storedDeployment = (
  revision: string,
  image: string,
  replicas: number,
  change: { minutes?: number; ready?: number; track?: string; owner?: string; annotations?: object } = {},
) => ({
  metadata: {
    name: `chat-${revision}`,
    ...{ namespace: "ai", uid: `d-${revision}`, resourceVersion: "5" },
    creationTimestamp: minutesAgo(change.minutes ?? 60),
    labels: {
      "llmbridge.dev/bridge": "chat",
      "llmbridge.dev/revision": revision,
      "llmbridge.dev/track": change.track ?? "production",
    },
    annotations: { "llmbridge.dev/image": image, "llmbridge.dev/renderer": "0.1.0", ...change.annotations },
    ownerReferences: [{ kind: "LLMBridge", uid: change.owner ?? "u1", controller: true }],
  },
  spec: { replicas },
  status: { readyReplicas: change.ready ?? replicas },
});

/** A pod as the API server stores it; ready unless its status says otherwise. */
export const storedPod = (name: string, revision: string, status: object = {}, metadata: object = {}) => ({
  metadata: {
    ...{ name, namespace: "ai", uid: `p-${name}`, resourceVersion: "9", creationTimestamp: minutesAgo(60) },
    labels: { "llmbridge.dev/bridge": "chat", "llmbridge.dev/revision": revision },
    ...metadata,
  },
  spec: { nodeName: "node-a" },
  status: {
    phase: "Running",
    conditions: [{ type: "Ready", status: "True" }],
    containerStatuses: [{ restartCount: 0, state: {} }],
    ...status,
  },
});

const crashing = {
  conditions: [{ type: "Ready", status: "False" }],
  containerStatuses: [
    {
      restartCount: 3,
      state: { waiting: { reason: "CrashLoopBackOff", message: "back-off 40s restarting" } },
      lastState: { terminated: { exitCode: 137, reason: "OOMKilled" } },
    },
  ],
};

/** The sample bridge with two pods of each version; the last one of the canary crashes. */
export function sampleFamily(change: Parameters<typeof sampleBridge>[0] = {}): Family {
  return familyOf(
    sampleBridge(change),
    [
      storedDeployment("7c9f21", "registry.example/bridge:1.4.0", 2, { minutes: 44_640 }),
      storedDeployment("d04be8", "registry.example/bridge:1.5.0", 2, { track: "canary", ready: 1 }),
    ],
    [
      storedPod("chat-7c9f21-aaaaa", "7c9f21"),
      storedPod("chat-7c9f21-bbbbb", "7c9f21"),
      storedPod("chat-d04be8-ccccc", "d04be8"),
      storedPod("chat-d04be8-ddddd", "d04be8", crashing),
    ],
    [],
  );
}
