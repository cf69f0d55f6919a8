import { llmBridgeSpec } from "../../api/v1alpha1/spec.ts";
import type { KubeObject } from "../../kube/object.ts";
import { type BridgeView, bridgeView } from "../bridge-view.ts";

/** The moment at which the sample is looked at. */
export const SAMPLE_NOW_MS = Date.parse("2026-11-21T15:48:00Z");

/** A bridge in the middle of a canary: the second pods of 1.5.0 hold a tenth of the traffic. */
export function sampleBridge(change: { status?: object; rollout?: object } = {}): BridgeView {
  return bridgeView(storedBridge(change));
}

/** The same before any operator has seen it. */
export function freshBridge(): BridgeView {
  const { status: _, ...fresh } = storedBridge({}) as KubeObject & { status: unknown };
  return bridgeView(fresh);
}

function storedBridge(change: { status?: object; rollout?: object }): KubeObject {
  const spec = llmBridgeSpec.parse({
    image: "registry.example/bridge:1.5.0",
    upstreams: [{ name: "m", protocol: "Ollama", url: "http://m:11434" }],
    rollout: {
      steps: [
        { name: "tenth", weight: 10, hold: "48h" },
        { name: "half", weight: 50, hold: "1h", approval: true },
        { name: "all", weight: 100 },
      ],
      ...change.rollout,
    },
  });
  const stored: object = { spec, status: { ...canaryStatus, ...change.status } };
  return {
    apiVersion: "llmbridge.dev/v1alpha1",
    kind: "LLMBridge",
    metadata: {
      name: "chat",
      namespace: "ai",
      uid: "u1",
      resourceVersion: "7",
      creationTimestamp: "2026-10-21T15:48:00Z",
    },
    ...stored,
  };
}

const condition = (type: string, status: string, reason: string, message: string) => ({
  ...{ type, status, reason, message },
  lastTransitionTime: "2026-11-21T09:00:00Z",
});

const canaryStatus = {
  phase: "Holding",
  summary: "Holding: step tenth (10%) until 2026-11-23T09:00Z.",
  replicas: 10,
  conditions: [
    condition("Ready", "True", "Serving", "10 of 10 pods of revision 7c9f21 are ready."),
    condition("Accepted", "True", "Valid", "The spec is valid."),
    condition("MetricsAvailable", "True", "Fresh", "Prometheus answers."),
  ],
  stable: {
    ...{ revision: "7c9f21", image: "registry.example/bridge:1.4.0", replicas: 10, ready: 10 },
    ...{ desiredWeight: 90, podShare: "83.3%", requestShare: "90.3%" },
  },
  canary: {
    ...{ revision: "d04be8", image: "registry.example/bridge:1.5.0", replicas: 2, ready: 2 },
    ...{ desiredWeight: 10, podShare: "16.7%", requestShare: "9.7%" },
  },
  step: { name: "tenth", index: 0, count: 3, weight: 10, holdUntil: "2026-11-23T09:00:00Z" },
  rollout: { phase: "Holding", phaseSince: "2026-11-21T09:00:00Z", canaryRevision: "d04be8" },
  verdicts: [
    {
      ...{ signal: "errors", category: "ProvedBelow", estimate: "+0.02pp", interval: "[-0.09, +0.21]" },
      ...{ samples: 288_412, message: "Worse by less than 0.5% is proved." },
    },
    { signal: "gc", category: "Passed", estimate: "1.8%", message: "Below 5%." },
  ],
  workers: { current: 2, cap: 2, reason: "one for each CPU" },
  scaling: { recommended: 10, message: "10 pods: demand 6.6 of 7.0 streams a pod." },
  tuning: {
    ...{
      nodeOptions: "--max-old-space-size=250 --max-semi-space-size=16",
      heapMiB: 298,
      semiSpaceMiB: 16,
      threadpoolSize: 4,
    },
    rationale: [],
  },
  budgets: [{ pool: "postgres", perPod: 12, planned: 152, allowed: 180, message: "fits" }],
  alerts: [
    {
      ...{ name: "workers-busy", state: "Firing", severity: "Warning", action: "ScaleUp" },
      ...{ message: "93% is above 90%.", recommendation: "Raise workers.max." },
    },
  ],
  decisions: [
    {
      ...{ time: "2026-11-21T14:02:00Z", action: "ScaleUp", reason: "Demand", message: "Replicas 9 to 10." },
      refused: ["one more worker thread: CPU throttled 12%"],
    },
    {
      time: "2026-11-20T09:00:00Z",
      action: "Step",
      reason: "Proved",
      message: "Step tenth begins.",
      refused: [],
    },
  ],
};

/** The sample as the API server stores it. */
export const SAMPLE_STORED: KubeObject = storedBridge({});
