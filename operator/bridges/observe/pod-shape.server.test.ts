import { afterAll, beforeAll, expect, it } from "vitest";
import { LABELS } from "../../../contract/kubernetes.ts";
import { openStreamed, type Streamed } from "../../../test/kube/streamed.ts";
import type { DesiredObject } from "../../kube/object.ts";
import type { Shape } from "../../kube/protobuf.ts";
import { resources } from "../../kube/resources.ts";
import { ANNOTATIONS } from "../names.ts";
import { observePod, type RawPod, slimPod } from "./pod.ts";
import { POD_SHAPE } from "./pod-shape.ts";

const NAMESPACE = "shapes";

let server: Streamed;

beforeAll(async () => {
  server = await openStreamed(NAMESPACE);
  const account = { metadata: { name: "default", namespace: NAMESPACE } };
  await server.client.create(resources.serviceAccounts, account);
});
afterAll(async () => server?.down());

const condition = (type: string, status: string, more: object = {}) => ({
  type,
  status,
  lastTransitionTime: "2026-01-01T00:00:00Z",
  ...more,
});
const container = (more: object) => ({
  ...{ name: "bridge", image: "example.test/bridge:1", imageID: "", ready: false, restartCount: 0 },
  ...more,
});
const ended = { exitCode: 137, reason: "OOMKilled", finishedAt: "2026-01-01T00:01:02Z" };

/** Statuses as kubelet writes them. */
const STATUSES: Readonly<Record<string, object>> = {
  unheard: {},
  ready: {
    phase: "Running",
    conditions: [condition("PodScheduled", "True"), condition("Ready", "True")],
    containerStatuses: [
      container({ ready: true, started: true, state: { running: { startedAt: "2026-01-01T00:00:00Z" } } }),
    ],
  },
  unschedulable: {
    phase: "Pending",
    conditions: [
      condition("PodScheduled", "False", { reason: "Unschedulable", message: "0/3 nodes: Öl ist alle" }),
    ],
  },
  waiting: {
    phase: "Pending",
    conditions: [condition("Ready", "False", { message: "containers with unready status: [bridge]" })],
    containerStatuses: [
      container({ state: { waiting: { reason: "ImagePullBackOff", message: "back-off" } } }),
    ],
  },
  restarted: {
    phase: "Running",
    containerStatuses: [
      container({
        restartCount: 4,
        state: { waiting: { reason: "CrashLoopBackOff" } },
        lastState: { terminated: { ...ended, message: "x".repeat(3_000) } },
      }),
    ],
  },
  failed: {
    phase: "Failed",
    containerStatuses: [container({ state: { terminated: { ...ended, exitCode: -1 } } })],
  },
  succeeded: {
    phase: "Succeeded",
    containerStatuses: [container({ state: { terminated: { exitCode: 0 } } })],
  },
};

async function makePod({ client }: Streamed, name: string): Promise<void> {
  const labels = { [LABELS.bridge]: "chat", [LABELS.revision]: "abc", other: "x" };
  const annotations = {
    ...{ [ANNOTATIONS.deletionCost]: "-5", [ANNOTATIONS.runtimeGeneration]: "7", other: "y" },
    [ANNOTATIONS.secretsChanged]: "2026-01-01T00:00:00.000Z",
  };
  const metadata = { name, namespace: NAMESPACE, labels, annotations };
  const spec = {
    containers: [{ name: "bridge", image: "example.test/bridge:1", env: [{ name: "A", value: "B" }] }],
    automountServiceAccountToken: false,
  };
  await client.create(resources.pods, { metadata, spec } as DesiredObject);
  const status = STATUSES[name];
  const object = { metadata: { name, namespace: NAMESPACE }, status } as DesiredObject;
  await client.applyStatus(resources.pods, object, { fieldManager: "kubelet" });
}

it("a pod is the same to us whether it comes as JSON or as protocol buffers", async () => {
  for (const name of Object.keys(STATUSES)) await makePod(server, name);
  const listed = (shape?: Shape) => server.list(resources.pods, slimPod, shape);
  const json = await listed();
  expect(json.map(({ metadata }) => metadata.name)).toEqual(Object.keys(STATUSES).sort());
  const read = (pods: readonly RawPod[]) => pods.map((pod) => [pod.metadata, observePod(pod)]);
  expect(read(await listed(POD_SHAPE))).toEqual(read(json));
  const restarted = json.find(({ metadata }) => metadata.name === "restarted");
  expect(restarted && observePod(restarted)).toMatchObject({
    restarts: 4,
    waiting: { reason: "CrashLoopBackOff" },
    lastTermination: { exitCode: 137, reason: "OOMKilled" },
    deletionCost: -5,
    touchedGeneration: 7,
  });
});
