import { describe, expect, it } from "vitest";
import { ANNOTATIONS } from "../names.ts";
import { type PodMonitorSettings, podMonitor } from "./pod-monitor.ts";
import { podTemplate } from "./template.ts";

const bridge = { namespace: "ai", name: "chat", uid: "u-1" };
const usual = { namespace: "namespace", pod: "pod" };
const settings: PodMonitorSettings = { labels: { release: "p" }, interval: "15s", sources: [usual] };

describe("podMonitor", () => {
  it("selects the pods of every revision, at a port that they have, with the administrator's labels", () => {
    const { metadata, spec } = podMonitor(bridge, settings);
    expect(metadata.labels).toMatchObject({ release: "p", "llmbridge.dev/bridge": "chat" });
    expect(metadata.ownerReferences).toMatchObject([{ uid: "u-1", controller: true }]);
    expect(spec).toEqual({
      selector: { matchLabels: { "llmbridge.dev/bridge": "chat" } },
      podMetricsEndpoints: [{ port: "admin", path: "/metrics", interval: "15s" }],
    });
    type Input = Parameters<typeof podTemplate>[0];
    const pod = podTemplate({ bridge: "chat", revision: "abc", spec: minimal, env: {} } as unknown as Input);
    expect(pod.metadata.labels).toMatchObject(spec.selector.matchLabels);
    const ports = pod.spec.containers.flatMap((one) => one.ports);
    expect(ports).toContainEqual({ name: "admin", containerPort: 9464 });
    expect(pod.metadata.annotations["prometheus.io/port"]).toBe("9464");
    expect(pod.metadata.annotations["prometheus.io/path"]).toBe("/metrics");
  });

  it("gives series the labels that the metric sources ask for, where a Prometheus does not by itself", () => {
    const sources = [
      usual,
      { namespace: "kube_namespace", pod: "kube_pod" },
      { namespace: "namespace", pod: "kube_pod" },
    ];
    expect(podMonitor(bridge, { ...settings, sources }).spec.podMetricsEndpoints).toMatchObject([
      {
        relabelings: [
          { sourceLabels: ["__meta_kubernetes_namespace"], targetLabel: "kube_namespace" },
          { sourceLabels: ["__meta_kubernetes_pod_name"], targetLabel: "kube_pod" },
        ],
      },
    ]);
  });

  it("notes what the settings made of it, so that it differs when something is taken out of them", () => {
    const noted = (labels: Record<string, string>) =>
      podMonitor(bridge, { ...settings, labels }).metadata.annotations[ANNOTATIONS.settings];
    expect(noted({ a: "1" })).toBe(noted({ a: "1" }));
    expect(noted({ a: "1" })).not.toBe(noted({}));
  });
});

const minimal = {
  image: "bridge:1",
  upstreams: [],
  resources: {},
  cache: {},
  pools: {},
  pod: {
    labels: {},
    annotations: {},
    nodeSelector: {},
    tolerations: [],
    imagePullSecrets: [],
    env: [],
    envFrom: [],
    mounts: [],
  },
};
