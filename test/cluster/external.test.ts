import { describe, expect, it } from "vitest";
import { externalCluster } from "./external.ts";

const complete = {
  LLMBRIDGE_KUBECONFIG: "/home/me/.kube/config",
  LLMBRIDGE_OPERATOR_IMAGE: "registry.example/operator:1",
  LLMBRIDGE_BRIDGE_IMAGE: "registry.example/bridge:1",
  LLMBRIDGE_MODEL_IMAGE: "registry.example/model:1",
  LLMBRIDGE_PROMETHEUS_URL: "http://localhost:9090",
  LLMBRIDGE_PROMETHEUS_URL_IN_CLUSTER: "http://prometheus.monitoring:9090",
};

describe("a cluster of one's own", () => {
  it("is never chosen because KUBECONFIG happens to be set", () => {
    expect(externalCluster({ KUBECONFIG: "/home/me/.kube/config" })).toBeUndefined();
    expect(externalCluster({ ...complete, LLMBRIDGE_KUBECONFIG: "" })).toBeUndefined();
  });

  it("is taken with the images that are named", () => {
    expect(externalCluster(complete)).toMatchObject({
      kind: "External",
      kubeconfigPath: "/home/me/.kube/config",
      images: { operator: "registry.example/operator:1", bridge: "registry.example/bridge:1" },
    });
  });

  it("is refused with the names of all that is missing", () => {
    const { LLMBRIDGE_BRIDGE_IMAGE: _, LLMBRIDGE_PROMETHEUS_URL: __, ...partial } = complete;
    expect(() => externalCluster(partial)).toThrow(
      /^LLMBRIDGE_KUBECONFIG names a cluster of your own, so set also LLMBRIDGE_BRIDGE_IMAGE \(.*\), LLMBRIDGE_PROMETHEUS_URL \(.*\)\.$/,
    );
  });
});
