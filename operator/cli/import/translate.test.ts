import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { lintManifest } from "../../api/v1alpha1/validate.ts";
import { manifestOf } from "./manifest-text.ts";
import type { OldContainer, OldPodSpec } from "./old-pod.ts";
import { type OldObjects, translated } from "./translate.ts";

const MODEL = { name: "OPENAI_BASE_URL", value: "http://model.ai/v1" };

function old(
  container: Partial<OldContainer> = {},
  pod: Partial<OldPodSpec> = {},
  more: Partial<OldObjects> & { labels?: Record<string, string>; annotations?: Record<string, string> } = {},
): OldObjects {
  const { labels = { app: "web" }, annotations, ...rest } = more;
  const first = { name: "web", image: "registry.example/web:1", env: [MODEL], ...container };
  return {
    ...{ name: "web", replicas: 3, services: [], autoscaler: undefined, rollout: {} },
    template: {
      metadata: { labels, ...(annotations ? { annotations } : {}) },
      spec: { containers: [first], ...pod },
    },
    ...rest,
  };
}

/** What the resource says of what was written. */
function issues(objects: OldObjects): readonly string[] {
  const { spec } = translated(objects, "web");
  return lintManifest(manifestOf({ name: "web", namespace: "ai" }, spec)).map(({ path }) => path);
}

const noted = (objects: OldObjects): Record<string, string> =>
  Object.fromEntries(translated(objects, "web").notes.map(({ about, message }) => [about, message]));

describe("a Deployment as an LLMBridge", () => {
  it("has the image, the pods and what it is taken over from, where there is no more to it", () => {
    const limits = { cpu: "1", memory: "1Gi" };
    expect(translated(old({ resources: { limits } }), "web")).toEqual({
      spec: {
        image: "registry.example/web:1",
        replicas: 3,
        scaling: { mode: "Fixed" },
        resources: { requests: limits, limits },
        upstreams: [{ name: "openai", protocol: "OpenAI", url: "http://model.ai/v1" }],
        pod: { labels: { app: "web" }, env: [MODEL] },
        rollout: { analysis: { gates: [{ name: "own-errors", metric: "ErrorShare", below: "1%" }] } },
        takeOver: { deployment: "web" },
      },
      notes: [],
    });
  });

  it("carries all that the resource has a field for", () => {
    const objects = old(
      {
        imagePullPolicy: "Always",
        env: [
          { name: "OPENAI_API_KEY", valueFrom: { secretKeyRef: { name: "openai", key: "token" } } },
          { name: "REDIS_URL", valueFrom: { secretKeyRef: { name: "redis", key: "url" } } },
          { name: "REGION", valueFrom: { configMapKeyRef: { name: "env", key: "region", optional: true } } },
          { name: "POD_NAME", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } },
        ],
        envFrom: [
          { prefix: "APP_", configMapRef: { name: "app" } },
          { secretRef: { name: "keys", optional: true } },
        ],
        resources: { requests: { cpu: "500m" }, limits: { cpu: "2", memory: "1Gi" } },
        volumeMounts: [
          { name: "prompts", mountPath: "/etc/prompts" },
          { name: "certs", mountPath: "/etc/certs" },
          { name: "certs", mountPath: "/etc/more" },
        ],
      },
      {
        nodeSelector: { disk: "ssd" },
        tolerations: [{ key: "gpu", operator: "Exists" }],
        imagePullSecrets: [{ name: "registry" }],
        priorityClassName: "high",
        volumes: [
          { name: "prompts", configMap: { name: "prompts", optional: true } },
          { name: "certs", secret: { secretName: "certs" } },
        ],
      },
      {
        annotations: { "example.com/team": "ai" },
        autoscaler: { minReplicas: 2, maxReplicas: 8 },
        services: [{ name: "front", selector: { tier: "front" }, targetPorts: [8080] }],
      },
    );
    const { spec, notes } = translated(objects, "web");
    expect(notes).toEqual([]);
    expect(issues(objects)).toEqual([]);
    expect(spec).toMatchObject({
      imagePullPolicy: "Always",
      scaling: { minReplicas: 2, maxReplicas: 8 },
      resources: { requests: { cpu: "500m", memory: "1Gi" }, limits: { cpu: "2", memory: "1Gi" } },
      upstreams: [
        { protocol: "OpenAI", url: "https://api.openai.com/v1", secretRef: { name: "openai", key: "token" } },
      ],
      cache: { redis: { secretRef: { name: "redis", key: "url" } } },
      takeOver: { deployment: "web", services: ["front"] },
      pod: {
        annotations: { "example.com/team": "ai" },
        nodeSelector: { disk: "ssd" },
        tolerations: [{ key: "gpu", operator: "Exists" }],
        imagePullSecrets: [{ name: "registry" }],
        priorityClassName: "high",
        envFrom: [
          { prefix: "APP_", configMapRef: { name: "app" } },
          { secretRef: { name: "keys", optional: true } },
        ],
        mounts: [
          { name: "prompts", path: "/etc/prompts", configMap: { name: "prompts", optional: true } },
          { name: "certs", path: "/etc/certs", secret: { name: "certs" } },
          { name: "certs-2", path: "/etc/more", secret: { name: "certs" } },
        ],
      },
    });
    expect(spec.replicas).toBeUndefined();
    expect(spec.pod?.env?.map(({ name }) => name)).not.toContain("POD_NAME");
  });

  it.each<[string, Partial<OldContainer>, Partial<OldPodSpec>, string, string]>([
    [
      "options of Node",
      { env: [MODEL, { name: "NODE_OPTIONS", value: "--max-old-space-size=450 --gc-interval=100" }] },
      {},
      "env NODE_OPTIONS",
      "write spec.tuning.nodeOptions.maxOldSpaceMiB: 450",
    ],
    [
      "the thread pool",
      { env: [MODEL, { name: "UV_THREADPOOL_SIZE", value: "8" }] },
      {},
      "env UV_THREADPOOL_SIZE",
      "threadpoolSize",
    ],
    [
      "a proxy",
      { env: [MODEL, { name: "HTTPS_PROXY", value: "http://p" }] },
      {},
      "env HTTPS_PROXY",
      "upstream's url",
    ],
    [
      "facts of the pod",
      { env: [MODEL, { name: "IP", valueFrom: { fieldRef: { fieldPath: "status.podIP" } } }] },
      {},
      "env IP",
      "status.podIP",
    ],
    [
      "an optional Secret",
      { env: [MODEL, { name: "A", valueFrom: { secretKeyRef: { name: "s", key: "k", optional: true } } }] },
      {},
      "env A",
      "is needed now",
    ],
    [
      "a credential in the open",
      { env: [MODEL, { name: "OPENAI_API_KEY", value: "sk-1" }] },
      {},
      "env OPENAI_API_KEY",
      "secretRef",
    ],
    [
      "a database",
      { env: [MODEL, { name: "DATABASE_URL", value: "postgres://a" }] },
      {},
      "env DATABASE_URL",
      "backendConnections",
    ],
    ["no limit of memory", { resources: {} }, {}, "resources.limits.memory", "the heap is computed from it"],
    [
      "other resources",
      { resources: { limits: { "nvidia.com/gpu": "1" } } },
      {},
      "resources nvidia.com/gpu",
      "only cpu and memory",
    ],
    [
      "too little memory",
      { resources: { limits: { cpu: "1", memory: "64Mi" } } },
      {},
      "resources",
      "leaves less than 64 MiB",
    ],
    ["a command", { command: ["node", "x.js"] }, {}, "command", "build it into the image"],
    ["probes", { livenessProbe: { tcpSocket: { port: 8080 } } }, {}, "livenessProbe", "/livez on port 9464"],
    [
      "a second container",
      {},
      { containers: [old().template.spec.containers[0] as OldContainer, { name: "proxy" }] },
      "container proxy",
      "one container",
    ],
    [
      "a first container",
      {},
      { initContainers: [{ name: "migrate" }] },
      "initContainer migrate",
      "spec.pod.mounts",
    ],
    ["an account", {}, { serviceAccountName: "cloud" }, "serviceAccountName", '"cloud" are not carried'],
    [
      "a long drain",
      {},
      { terminationGracePeriodSeconds: 900 },
      "terminationGracePeriodSeconds",
      "for as long as their requests may take",
    ],
    ["affinity", {}, { affinity: { podAntiAffinity: {} } }, "affinity", "spread over nodes"],
    [
      "a disk",
      { volumeMounts: [{ name: "d", mountPath: "/d" }] },
      { volumes: [{ name: "d", persistentVolumeClaim: { claimName: "d" } }] },
      "volume d",
      "keep nothing on disks",
    ],
    [
      "a part of a ConfigMap",
      { volumeMounts: [{ name: "c", mountPath: "/etc/c/a", subPath: "a" }] },
      { volumes: [{ name: "c", configMap: { name: "c" } }] },
      "volume c",
      "mounts a ConfigMap or Secret whole",
    ],
    [
      "a directory that is taken",
      { volumeMounts: [{ name: "c", mountPath: "/app" }] },
      { volumes: [{ name: "c", configMap: { name: "c" } }] },
      "volume c",
      "is used by the image or the operator",
    ],
    ["an image of a strange name", { image: "Web!" }, {}, "image", "is not an image reference"],
  ])("says of %s what to do instead, and does not write it", (_, container, pod, about, message) => {
    const objects = old(container, pod);
    expect(noted(objects)).toHaveProperty([about], expect.stringContaining(message));
    expect(issues(objects)).toEqual(about === "image" ? ["spec.image"] : []);
  });

  it.each([
    [
      "a request above the default where there is no limit",
      { requests: { cpu: "2", memory: "4Gi" }, limits: { memory: "4Gi" } },
      { requests: { cpu: "2", memory: "4Gi" }, limits: { cpu: "2", memory: "4Gi" } },
      "resources.limits.cpu",
      "the request counts (2)",
    ],
    [
      "the one size that is accepted of two",
      { limits: { cpu: "2", memory: "32Mi" } },
      { requests: { cpu: "2" }, limits: { cpu: "2" } },
      "resources",
      "What is not carried is left at the resource's defaults.",
    ],
  ])("carries %s", (_, resources, carried, about, message) => {
    const objects = old({ resources });
    expect(translated(objects, "web")).toMatchObject({ spec: { resources: carried } });
    expect(noted(objects)).toHaveProperty([about], expect.stringContaining(message));
    expect(issues(objects)).toEqual([]);
  });

  it("says of the way in which it rolled out where that is written now", () => {
    const rollout = {
      ...{ strategy: { type: "Recreate" }, minReadySeconds: 30, progressDeadlineSeconds: 60 },
      ...{ revisionHistoryLimit: 2, replicas: 3 },
    };
    expect(noted(old({}, {}, { rollout }))).toMatchObject({
      strategy: expect.stringContaining("side by side"),
      minReadySeconds: expect.stringContaining("spec.rollout.steps"),
      progressDeadlineSeconds: expect.stringContaining("spec.rollout.progressDeadline"),
      revisionHistoryLimit: expect.stringContaining("spec.rollout.revisionHistoryLimit"),
    });
  });

  it("says nothing of what every stored Deployment has", () => {
    const objects = old(
      { resources: { limits: { cpu: "1", memory: "1Gi" } } },
      { terminationGracePeriodSeconds: 30, dnsPolicy: "ClusterFirst", schedulerName: "default-scheduler" },
      {
        rollout: {
          strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: "25%", maxUnavailable: "25%" } },
          ...{ progressDeadlineSeconds: 600, revisionHistoryLimit: 10 },
        },
      },
    );
    expect(noted(objects)).toEqual({});
  });

  it("keeps pods out of the Service that is taken over", () => {
    const service = { name: "web", selector: { app: "web" }, targetPorts: [8080] };
    const objects = old({}, {}, { labels: { app: "web", team: "ai" }, services: [service] });
    expect(translated(objects, "web").spec.pod?.labels).toEqual({ team: "ai" });
    expect(noted(objects)["label app"]).toContain("before their weight");
    const narrower = { ...service, selector: { app: "web", tier: "front" } };
    expect(translated(old({}, {}, { services: [narrower] }), "web").spec.pod?.labels).toEqual({ app: "web" });
  });

  it("leaves labels and annotations out that the operator sets", () => {
    const objects = old(
      {},
      {},
      {
        labels: { "app.kubernetes.io/name": "web", team: "ai" },
        annotations: { "prometheus.io/scrape": "true", note: "a" },
      },
    );
    expect(translated(objects, "web").spec.pod).toMatchObject({
      labels: { team: "ai" },
      annotations: { note: "a" },
    });
    expect(Object.keys(noted(objects))).toEqual(
      expect.arrayContaining(["label app.kubernetes.io/name", "annotation prometheus.io/scrape"]),
    );
  });

  it("takes the container that the Service leads to", () => {
    const proxy = { name: "proxy", image: "proxy:1", ports: [{ name: "metrics", containerPort: 15090 }] };
    const web = { name: "web", image: "web:1", env: [MODEL], ports: [{ name: "http", containerPort: 8080 }] };
    const service = { name: "web", selector: { app: "other" }, targetPorts: ["http"] };
    const { spec, notes } = translated(old({}, { containers: [proxy, web] }, { services: [service] }), "web");
    expect(spec.image).toBe("web:1");
    expect(notes.map(({ about }) => about)).toContain("container proxy");
  });

  it("takes one of two models, since nothing tells which serves what", () => {
    const ollama = { name: "OLLAMA_HOST", value: "ollama.ai:11434" };
    expect(translated(old({ env: [ollama] }), "web").spec.upstreams).toEqual([
      { name: "ollama", protocol: "Ollama", url: "http://ollama.ai:11434" },
    ]);
    const both = old({ env: [MODEL, ollama] });
    expect(translated(both, "web").spec.upstreams).toHaveLength(1);
    expect(noted(both)).toHaveProperty(["upstream ollama (http://ollama.ai:11434)"]);
    expect(issues(both)).toEqual([]);
  });

  it.each([
    ["ollama", "http://ollama:11434"],
    ["ollama.ai:8080/", "http://ollama.ai:8080"],
    ["ollama.ai/api", "http://ollama.ai:11434/api"],
    ["http://ollama", "http://ollama"],
    ["https://ollama.ai/", "https://ollama.ai"],
  ])("takes OLLAMA_HOST=%s for %s", (value, url) => {
    const objects = old({ env: [{ name: "OLLAMA_HOST", value }] });
    expect(translated(objects, "web").spec.upstreams).toMatchObject([{ url }]);
  });

  it("invents no address from variables that only Kubernetes puts in", () => {
    const objects = old({ env: [{ name: "OLLAMA_HOST", value: "http://$(MODEL_SERVICE_HOST):11434" }] });
    expect(issues(objects)).toEqual(["spec.upstreams"]);
    expect(noted(objects)["env OLLAMA_HOST"]).toContain("takes in other variables");
  });

  it("says that nothing tells of the models, and invents none", () => {
    expect(issues(old({ env: [] }))).toEqual(["spec.upstreams"]);
  });

  it("writes nothing that the resource refuses, whatever the Deployment says", () => {
    const name = fc.constantFrom(
      "A",
      "NODE_OPTIONS",
      "LD_PRELOAD",
      "a-b",
      "9",
      "NO_PROXY",
      "OLLAMA_HOST",
      "",
    );
    const text = fc.oneof(
      fc.string({ maxLength: 12 }),
      fc.constantFrom("1", "512Mi", "0", "-1", "1e3", "x y"),
    );
    const map = fc.dictionary(fc.oneof(text, fc.constantFrom("a", "llmbridge.dev/x", "x/y/z")), text, {
      maxKeys: 4,
    });
    const container = fc.record({
      env: fc.array(fc.record({ name, value: text }), { maxLength: 6 }),
      resources: fc.record({
        limits: fc.record({ cpu: text, memory: text }),
        requests: fc.record({ cpu: text }),
      }),
    });
    const pod = fc.record({
      nodeSelector: map,
      tolerations: fc.array(fc.record({ key: text, operator: text, value: text })),
    });
    fc.assert(
      fc.property(container, pod, map, (one, shape, labels) => {
        const env = [MODEL, ...new Map(one.env.map((variable) => [variable.name, variable])).values()];
        expect(issues(old({ ...one, env }, shape, { labels, annotations: labels }))).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });
});
