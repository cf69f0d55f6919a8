import { describe, expect, it } from "vitest";
import { LABELS } from "../../../contract/kubernetes.ts";
import { ANNOTATIONS } from "../names.ts";
import { observePod, type RawPod, slimPod } from "./pod.ts";

const terminated = {
  exitCode: 137,
  reason: "OOMKilled",
  message: "out of memory",
  finishedAt: "2026-01-01T00:01:00Z",
};
type Status = NonNullable<RawPod["status"]>;

function pod(status: Status, metadata: Partial<RawPod["metadata"]> = {}): RawPod {
  return {
    metadata: {
      name: "chat-a-1",
      namespace: "ai",
      uid: "u-1",
      resourceVersion: "7",
      creationTimestamp: "2026-01-01T00:00:00Z",
      labels: { [LABELS.bridge]: "chat", [LABELS.revision]: "a", "pod-template-hash": "77d" },
      annotations: {
        ...{ [ANNOTATIONS.deletionCost]: "-5", [ANNOTATIONS.runtimeGeneration]: "3", other: "x" },
        [ANNOTATIONS.secretsChanged]: "2026-01-01T00:00:00.000Z",
      },
      ...metadata,
    },
    status,
  };
}

const condition = (type: string, status: string, message = "") => ({ type, status, message });

const PODS: readonly [what: string, pod: RawPod][] = [
  [
    "that runs",
    pod({
      phase: "Running",
      conditions: [
        condition("PodScheduled", "True"),
        condition("Initialized", "True"),
        condition("Ready", "True"),
      ],
      containerStatuses: [{ restartCount: 0, state: {} }],
    }),
  ],
  ["that has no status yet", pod({})],
  [
    "that waits",
    pod({
      containerStatuses: [
        { restartCount: 0, state: { waiting: { reason: "ImagePullBackOff", message: "no" } } },
      ],
    }),
  ],
  [
    "that ended and waits to be started again",
    pod({
      containerStatuses: [
        { restartCount: 4, state: { waiting: { reason: "CrashLoopBackOff" } }, lastState: { terminated } },
      ],
    }),
  ],
  [
    "that has ended",
    pod({ phase: "Failed", containerStatuses: [{ restartCount: 1, state: { terminated } }] }),
  ],
  [
    "that has no place",
    pod({ phase: "Pending", conditions: [condition("PodScheduled", "False", "0/1 nodes")] }),
  ],
  ["that goes", pod({ phase: "Running" }, { deletionTimestamp: "2026-01-01T00:02:00Z" })],
];

describe("a pod in the cache", () => {
  it.each(PODS)("%s is seen as the whole one is", (_, whole) => {
    expect(observePod(slimPod(whole))).toEqual(observePod(whole));
  });

  it("is a fraction of the whole one", () => {
    const [[, whole]] = PODS as [[string, RawPod]];
    const slim = slimPod(whole);
    expect(slim.metadata.labels).toEqual({ [LABELS.bridge]: "chat", [LABELS.revision]: "a" });
    expect(Object.keys(slim.metadata.annotations ?? {})).not.toContain("other");
    expect(slim.status?.conditions?.map(({ type }) => type)).toEqual(["Ready"]);
  });
});
