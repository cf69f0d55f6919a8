import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { LLMBridgeSpecInput } from "../../operator/api/v1alpha1/spec.ts";
import { LLMBRIDGES } from "../../operator/bridges/caches.ts";
import { AUTOSCALER_SEES_MS } from "../../operator/bridges/decide/held-replicas.ts";
import type { KubeObject } from "../../operator/kube/object.ts";
import { type Resource, resources } from "../../operator/kube/resources.ts";
import { type Bed, openBed, type Stage } from "../faults/bed.ts";
import { bridgeImage, storySpec } from "../faults/story.ts";
import { until } from "../kube/until.ts";
import { conditionOf } from "../scene/api.ts";
import { type PodMetricsServer, type PodUse, startPodMetrics } from "../servers/pod-metrics.ts";

/**
 * Kubernetes' own HorizontalPodAutoscaler on the scale subresource: the real controller, the real API server and its aggregator, the real
 * operator. Pods do not run; the load is shared out between the ready pods that the Service selects, as requests would be.
 */

const [FIRST, SECOND] = [bridgeImage(1), bridgeImage(2)];
const KIND = { apiVersion: "llmbridge.dev/v1alpha1", kind: "LLMBridge" };
/** What a pod asks for, and how much of it an autoscaler wants to see used. */
const REQUEST_MILLICORES = 100;
const TARGET_PERCENT = 70;
const TARGET_MILLICORES = (REQUEST_MILLICORES * TARGET_PERCENT) / 100;

const HPAS: Resource = {
  ...{ group: "autoscaling", version: "v2", plural: "horizontalpodautoscalers" },
  ...{ kind: "HorizontalPodAutoscaler", namespaced: true },
};

interface Hpa extends KubeObject {
  readonly status?: {
    readonly currentReplicas?: number;
    readonly desiredReplicas?: number;
    readonly currentMetrics?: readonly {
      readonly resource?: { readonly current: { readonly averageUtilization?: number } };
    }[];
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly reason: string;
    }[];
  };
}
interface Pod extends KubeObject {
  readonly spec: { readonly containers: readonly { readonly image: string }[] };
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}
interface Service extends KubeObject {
  readonly spec: { readonly selector: Readonly<Record<string, string>> };
}
interface Stored extends KubeObject {
  readonly spec: LLMBridgeSpecInput & { readonly replicas: number };
}

/** The load of a namespace. */
interface Load {
  /** In pods at their target. */
  pods: number;
  /** How many times as much a request costs the second version. */
  secondCosts: number;
}

const loads = new Map<string, Load>();
let bed: Bed;
let metrics: PodMetricsServer;
beforeAll(async () => {
  bed = await openBed({ hasAutoscalers: true });
  metrics = await startPodMetrics(bed.plane.api, bed.plane.server, {
    pods: usesOf,
    external: (namespace) => loads.get(namespace)?.pods ?? 0,
  });
});
afterAll(async () => {
  await metrics?.close();
  await bed?.down();
});

const selectorOf = (labels: Readonly<Record<string, string>>) =>
  Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(",");

async function readyPods(namespace: string, labelSelector: string): Promise<readonly Pod[]> {
  const pods = await bed.plane.client.list<Pod>(resources.pods, { namespace, labelSelector });
  return pods.filter(
    ({ metadata, status }) =>
      metadata.deletionTimestamp === undefined &&
      status?.conditions?.some(({ type, status: is }) => type === "Ready" && is === "True"),
  );
}

async function servingPods(namespace: string): Promise<readonly Pod[]> {
  const { spec } = await bed.plane.client.get<Service>(resources.services, namespace, "chat");
  return readyPods(namespace, selectorOf(spec.selector));
}

async function usesOf(namespace: string, labelSelector: string): Promise<readonly PodUse[]> {
  const [asked, serving] = await Promise.all([readyPods(namespace, labelSelector), servingPods(namespace)]);
  const { pods = 0, secondCosts = 1 } = loads.get(namespace) ?? {};
  const share = (pods * TARGET_MILLICORES) / Math.max(1, serving.length);
  return asked.map(({ metadata, spec }) => {
    const costs = spec.containers[0]?.image === SECOND ? secondCosts : 1;
    const serves = serving.some((one) => one.metadata.uid === metadata.uid);
    return { name: metadata.name, labels: metadata.labels ?? {}, cpuMillicores: serves ? share * costs : 0 };
  });
}

const externalSpec = (replicas?: number): LLMBridgeSpecInput => {
  const { replicas: _, ...spec } = storySpec(FIRST);
  const rollout = { ...spec.rollout, watchAfter: "0s" };
  return { ...spec, rollout, scaling: { mode: "External" }, ...(replicas === undefined ? {} : { replicas }) };
};

const BY_USE = {
  type: "Resource",
  resource: { name: "cpu", target: { type: "Utilization", averageUtilization: TARGET_PERCENT } },
};
/** As KEDA writes it. */
const BY_DEMAND = {
  type: "External",
  external: { metric: { name: "queue" }, target: { type: "AverageValue", averageValue: "1" } },
};

/** An autoscaler that does not wait; people's wait for minutes. */
async function autoscale(
  { namespace }: Stage,
  { metric = BY_USE as object, min = 1, max = 10, target = { ...KIND, name: "chat" } } = {},
): Promise<void> {
  const policies = [{ type: "Percent", value: 900, periodSeconds: 1 }];
  const rules = { stabilizationWindowSeconds: 0, policies };
  await bed.plane.client.create(HPAS, {
    apiVersion: "autoscaling/v2",
    kind: "HorizontalPodAutoscaler",
    metadata: { namespace, name: "chat" },
    spec: {
      ...{ scaleTargetRef: target, minReplicas: min, maxReplicas: max, metrics: [metric] },
      behavior: { scaleUp: rules, scaleDown: { ...rules, policies: [{ ...policies[0], value: 100 }] } },
    },
  } as never);
}

const hpaOf = ({ namespace }: Stage): Promise<Hpa> => bed.plane.client.get<Hpa>(HPAS, namespace, "chat");
const storedOf = ({ namespace }: Stage): Promise<Stored> =>
  bed.plane.client.get<Stored>(LLMBRIDGES, namespace, "chat");

/** The autoscaler has looked again, and found this. */
const seen = (stage: Stage, what: string, is: (status: NonNullable<Hpa["status"]>) => boolean) =>
  until(
    `the autoscaler to see ${what}`,
    async () => {
      const { status } = await hpaOf(stage);
      return status !== undefined && is(status) ? status : undefined;
    },
    60_000,
  );

const useOf = ({ currentMetrics }: NonNullable<Hpa["status"]>) =>
  currentMetrics?.[0]?.resource?.current.averageUtilization;

const askedFor = (stage: Stage, replicas: number) =>
  until(
    `spec.replicas to be ${replicas}`,
    async () => (await storedOf(stage)).spec.replicas === replicas,
    60_000,
  );

/** A bridge that serves with so many pods, under as much load as they are meant for. */
async function serving(replicas: number): Promise<Stage> {
  const stage = await bed.stage();
  loads.set(stage.namespace, { pods: replicas, secondCosts: 1 });
  const { bridge } = stage.actor();
  await bridge.apply(externalSpec());
  await bridge.patch({ replicas });
  await bridge.waitFor("serving", ({ stable }) => stable?.ready === replicas);
  return stage;
}

const loadOf = ({ namespace }: Stage): Load => loads.get(namespace) as Load;
const serves = (stage: Stage, pods: number) =>
  stage
    .actor()
    .bridge.waitFor(
      `serving with ${pods}`,
      ({ stable }) => stable?.ready === pods && stable.replicas === pods,
    );

describe("a HorizontalPodAutoscaler on a bridge", () => {
  it.each([
    ["the use of its pods", BY_USE],
    ["a demand over all pods", BY_DEMAND],
  ])("scales it up and down by %s, between its own bounds", async (_, metric) => {
    const stage = await serving(2);
    await autoscale(stage, { metric, min: 2, max: 5 });
    await seen(stage, "two pods", ({ currentReplicas }) => currentReplicas === 2);
    loadOf(stage).pods = 4;
    await serves(stage, 4);
    loadOf(stage).pods = 8;
    await serves(stage, 5);
    const { conditions = [] } = (await hpaOf(stage)).status ?? {};
    expect(conditions).toContainEqual(
      expect.objectContaining({ type: "ScalingLimited", reason: "TooManyReplicas" }),
    );
    loadOf(stage).pods = 0.5;
    const { replicas } = await serves(stage, 2);
    expect(replicas).toBe(2);
    await stage.close();
  });

  it("is not fought by an apply that leaves spec.replicas out, and takes back what a person scales", async () => {
    const stage = await serving(2);
    const { bridge } = stage.actor();
    await autoscale(stage, { min: 2, max: 8 });
    loadOf(stage).pods = 4;
    await serves(stage, 4);
    // What Git holds, again and again.
    const before = (await storedOf(stage)).metadata.generation;
    for (let times = 0; times < 3; times++) await bridge.apply(externalSpec());
    const { metadata, spec } = await storedOf(stage);
    expect({ replicas: spec.replicas, generation: metadata.generation }).toEqual({
      ...{ replicas: 4, generation: before },
    });
    // The number is nobody's: where Git has held one and gives it up, somebody must hold it meanwhile, or the default comes back.
    const { client } = bed.plane;
    const handover = { metadata: { namespace: stage.namespace, name: "chat" }, spec: { replicas: 4 } };
    await bridge.apply(externalSpec(4));
    await client.apply(LLMBRIDGES, { ...KIND, ...handover } as never, { fieldManager: "handover" });
    await bridge.apply(externalSpec());
    expect((await storedOf(stage)).spec.replicas).toBe(4);
    const { kubectlPath, kubeconfigPath } = bed.plane.server;
    const person = ["scale", "llmb/chat", "--replicas=7", "-n", stage.namespace];
    await promisify(execFile)(kubectlPath, [...person, "--kubeconfig", kubeconfigPath]);
    await bridge.waitFor("followed", ({ scaling }) => scaling?.recommended === 7);
    await serves(stage, 4);
    await stage.close();
  });
});

/** Sees to the end of what `act` does that nobody was asked for more or fewer pods, nor had fewer. */
async function expectSteady(stage: Stage, pods: number, act: () => Promise<unknown>): Promise<void> {
  const wrong: object[] = [];
  const ended = new AbortController();
  const looking = (async () => {
    while (!ended.signal.aborted) {
      const [{ spec }, behind, { scaling }] = await Promise.all([
        storedOf(stage),
        servingPods(stage.namespace),
        stage.actor().bridge.status(),
      ]);
      const found = { asked: spec.replicas, serving: behind.length, needed: scaling?.recommended };
      if (found.asked > pods || found.serving < pods || found.needed !== pods) wrong.push(found);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  })();
  await act().finally(() => ended.abort());
  await looking;
  expect(wrong).toEqual([]);
}

describe("a canary beside a HorizontalPodAutoscaler", () => {
  it.each([
    ["the use of its pods", BY_USE],
    ["a demand over all pods", BY_DEMAND],
  ])("makes production neither larger nor smaller, promoted or not, by %s", async (_, metric) => {
    const stage = await serving(4);
    const { bridge, command, holding } = stage.actor();
    await autoscale(stage, { metric });
    await seen(stage, "four pods", ({ currentReplicas }) => currentReplicas === 4);
    // The canary is four times as dear: in one mean with the stable pods it would ask for more of these.
    loadOf(stage).secondCosts = 4;
    await expectSteady(stage, 4, async () => {
      await bridge.patch({ image: SECOND });
      const revision = await holding(SECOND);
      if (metric === BY_USE) {
        // Its own pods alone, which have half of the traffic.
        await seen(stage, "half of the use", (status) => useOf(status) === TARGET_PERCENT / 2);
        await askedFor(stage, 2);
      }
      expect((await hpaOf(stage)).status?.currentReplicas).toBeLessThanOrEqual(4);
      await command({ action: "abort", revision });
      await bridge.rolledBack();
      await bridge.waitFor("at rest", ({ canary }) => canary === undefined);
    });
    await stage.close();
  });

  it("leaves a number behind that was asked for of a part; it is gone down to step by step, and the autoscaler answers", async () => {
    const stage = await serving(4);
    const { bridge, command, holding } = stage.actor();
    await autoscale(stage);
    await expectSteady(stage, 4, async () => {
      await bridge.patch({ image: SECOND });
      const revision = await holding(SECOND);
      await askedFor(stage, 2);
      await command({ action: "promote", revision, full: true });
      await bridge.promoted(SECOND);
      // The mean is at its target now, so nothing is written, whatever the spec says.
      await seen(stage, "all of the use", (status) => useOf(status) === TARGET_PERCENT);
    });
    expect((await bridge.status()).scaling?.held?.replicas).toBeLessThan(4);
    // Minutes later, as an operator sees it whose clock shows so.
    await stage.end();
    await stage.start({ clockAheadMs: AUTOSCALER_SEES_MS + 60_000 });
    await askedFor(stage, 4);
    const { scaling } = await bridge.waitFor(
      "followed again",
      (status) => status.scaling?.held === undefined,
    );
    expect(scaling?.recommended).toBe(4);
    await serves(stage, 4);
    await stage.close();
  });

  it.each([
    // Above half few stable pods are left, and by their use no autoscaler can ask for what both versions need.
    ["at half of the traffic by the use of its pods", 50, BY_USE],
    ["above half by a demand over all pods", 75, BY_DEMAND],
  ])("is followed upwards %s", async (_, weight, metric) => {
    const stage = await serving(2);
    const { bridge, holding } = stage.actor();
    await autoscale(stage, { metric, min: 2 });
    const steps = [
      { name: "first", weight, hold: "1h" },
      { name: "all", weight: 100, hold: "1h" },
    ];
    await bridge.patch({ image: SECOND, rollout: { steps } });
    await holding(SECOND);
    loadOf(stage).pods = 8;
    await bridge.waitFor("larger", (status) => {
      const ready = (status.stable?.ready ?? 0) + (status.canary?.ready ?? 0);
      return ready >= 8 && status.phase === "Holding";
    });
    await stage.close();
  });
});

describe("a HorizontalPodAutoscaler on one of the Deployments", () => {
  it("is answered three times a minute, and the bridge says whose fight it is", async () => {
    const stage = await serving(2);
    const { bridge } = stage.actor();
    const [deployment] = await stage.list(resources.deployments);
    const { name = "" } = deployment?.metadata ?? {};
    await autoscale(stage, { min: 5, target: { apiVersion: "apps/v1", kind: "Deployment", name } });
    const status = await bridge.waitFor(
      "contested",
      (now) => conditionOf(now, "Stalled")?.reason === "Contested",
    );
    expect(conditionOf(status, "Stalled")?.message).toContain(`deployments "${name}"`);
    expect((await storedOf(stage)).spec.replicas).toBe(2);
    await stage.close();
  });
});
