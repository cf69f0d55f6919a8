import { describe, expect, it } from "vitest";
import { llmBridgeSpec } from "../../api/v1alpha1/spec.ts";
import { BRIDGE, OLD_DEPLOYMENT, OLD_SERVICE, oldPod, oldThings, SPEC } from "../testing/old-things.ts";
import { objectionTo } from "./objection.ts";
import type { TakenObjects } from "./observed.ts";

const NAMES = { deployment: "web", services: ["web"] };
const ask = (seen: Partial<TakenObjects>, spec = SPEC, bridge = BRIDGE) =>
  objectionTo({ bridge, names: NAMES, spec, seen: oldThings(seen) });
const deployment = (more: Partial<typeof OLD_DEPLOYMENT>) => ({ deployment: { ...OLD_DEPLOYMENT, ...more } });
const service = (more: Partial<typeof OLD_SERVICE>) => ({ services: [{ ...OLD_SERVICE, ...more }] });
const other = { bridge: "other", uid: "u-9", replicas: 3 };

describe("a take-over", () => {
  it("begins with a Deployment that serves and its Service", () => {
    expect(ask({})).toBeUndefined();
  });

  it.each<[string, Partial<TakenObjects>, string, string]>([
    [
      "a Deployment that is not there",
      { deployment: undefined },
      "TakeOverMissing",
      "make it without takeOver",
    ],
    [
      "one that is being deleted",
      deployment({ isEnding: true }),
      "TakeOverMissing",
      "spec.takeOver.deployment",
    ],
    ["a Service that is not there", { services: [] }, "TakeOverMissing", "spec.takeOver.services"],
    [
      "a Deployment of another controller",
      deployment({ owner: 'Rollout "web"' }),
      "TakeOverOwned",
      'Rollout "web"',
    ],
    ["a Service of another controller", service({ owner: 'Route "web"' }), "TakeOverOwned", 'Route "web"'],
    [
      "a Deployment that another bridge took",
      deployment({ note: other }),
      "TakeOverTaken",
      'LLMBridge "other"',
    ],
    [
      "a Service that another bridge took",
      service({ note: other }),
      "TakeOverTaken",
      "remove the annotation",
    ],
    ["an autoscaler", { autoscalers: ["web"] }, "TakeOverAutoscaled", "kubectl delete hpa web"],
    ["a rolling update", deployment({ isSettled: false }), "TakeOverNotReady", "is being rolled out"],
    ["no pods", deployment({ replicas: 0 }), "TakeOverNotReady", "nothing to take over"],
    ["no ready pod", { pods: [oldPod("a", { isServing: false })] }, "TakeOverNotReady", "has no ready pod"],
    [
      "more pods than the bridge may have",
      deployment({ replicas: 4 }),
      "TakeOverReplicas",
      "set it to 4 or more",
    ],
    ["a Service without a selector", service({ selector: {} }), "TakeOverService", "selects no pods"],
    [
      "a Service of other pods",
      service({ selector: { app: "x" } }),
      "TakeOverService",
      "does not select the pods",
    ],
    [
      "another port",
      deployment({ ports: [{ name: "http", containerPort: 3000 }] }),
      "TakeOverPorts",
      "port 80 leads to 3000",
    ],
    ["a port that nobody names", deployment({ ports: [] }), "TakeOverPorts", 'the port named "http"'],
  ])("is refused with the remedy: %s", (_, seen, reason, message) => {
    expect(ask(seen)).toMatchObject({ reason, message: expect.stringContaining(message) });
  });

  it("does not begin where new pods would enter the old Service before their weight", () => {
    const labelled = llmBridgeSpec.parse({ ...SPEC, pod: { ...SPEC.pod, labels: { app: "web" } } });
    expect(ask({}, labelled)?.message).toContain("before their weight");
    const key = "app.kubernetes.io/instance";
    const charted = {
      ...deployment({ templateLabels: { [key]: "chat" } }),
      ...service({ selector: { [key]: "chat" } }),
    };
    expect(ask(charted)?.message).toContain("give the bridge another name");
    expect(ask(charted, SPEC, { ...BRIDGE, name: "talk" })).toBeUndefined();
  });

  it("takes ports by number, by name, and as they are where none is said", () => {
    expect(ask(service({ ports: [{ port: 8080 }, { port: 9464, targetPort: 9464 }] }))).toBeUndefined();
  });
});
