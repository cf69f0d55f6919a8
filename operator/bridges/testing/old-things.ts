import { llmBridgeSpec } from "../../api/v1alpha1/spec.ts";
import type { OldDeployment, OldPod, OldService, TakenObjects } from "../take-over/observed.ts";

export const BRIDGE = { namespace: "ai", name: "chat", uid: "u-1" };

export const SPEC = llmBridgeSpec.parse({
  image: "registry.example/bridge:1",
  upstreams: [{ name: "model", protocol: "OpenAI", url: "http://model.example/v1" }],
  replicas: 3,
  scaling: { mode: "Fixed" },
  takeOver: { deployment: "web", services: ["web"] },
});

export const OLD_DEPLOYMENT: OldDeployment = {
  ...{ name: "web", uid: "d-1", resourceVersion: "7", image: "registry.example/old:1", replicas: 3 },
  ...{ isSettled: true, createdMs: 0, owner: undefined, isEnding: false, deployedBy: undefined },
  templateLabels: { app: "web" },
  ports: [{ name: "http", containerPort: 8080 }],
  note: undefined,
};

export const OLD_SERVICE: OldService = {
  ...{ name: "web", uid: "s-1", resourceVersion: "8", type: "ClusterIP", owner: undefined },
  selector: { app: "web" },
  ports: [{ port: 80, targetPort: "http" }],
  ...{ note: undefined, before: undefined },
};

export function oldPod(name: string, more: Partial<OldPod> = {}): OldPod {
  return {
    ...{ name, uid: `uid-${name}`, revision: "taken-over", createdMs: 0, ready: false, terminating: false },
    ...{ finished: false, restarts: 0, deletionCost: 0, touchedGeneration: 0 },
    ...{ isLabelled: false, isServing: true },
    ...more,
  };
}

/** As somebody's Deployment and Service are before anything was done to them. */
export function oldThings(more: Partial<TakenObjects> = {}): TakenObjects {
  return {
    ...{ kind: "Read", deployment: OLD_DEPLOYMENT, services: [OLD_SERVICE] },
    pods: [oldPod("a"), oldPod("b"), oldPod("c")],
    ...{ autoscalers: [], hasFinalizer: false },
    ...more,
  };
}

const NOTE = { bridge: "chat", uid: "u-1", replicas: 3 };

/** The same once the take-over has begun. */
export function begunThings(more: Partial<TakenObjects> = {}): TakenObjects {
  const { selector, ports } = OLD_SERVICE;
  const labelled = { isLabelled: true, ready: true };
  return oldThings({
    deployment: { ...OLD_DEPLOYMENT, note: NOTE },
    services: [{ ...OLD_SERVICE, note: NOTE, before: { selector, ports } }],
    pods: [oldPod("a", labelled), oldPod("b", labelled), oldPod("c", labelled)],
    hasFinalizer: true,
    ...more,
  });
}
