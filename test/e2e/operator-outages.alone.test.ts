import { setTimeout as delay } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { LLMBridgeStatus } from "../../operator/api/v1alpha1/status.ts";
import type { Load } from "../load/load.ts";
import { type Bridge, conditionOf } from "../scene/api.ts";
import { openScene, type Scene } from "../scene/scene.ts";

const SOURCE_AWAY_MS = 60_000;
const SERVER_AWAY_MS = 20_000;

let scene: Scene;
beforeAll(async () => {
  scene = await openScene("outages");
});
afterEach(async () => {
  // Whatever a test did, the next one and the cluster's other users find both as they were.
  await scene?.cluster.start("kube-apiserver");
  await scene?.cluster.startPrometheus();
});
afterAll(async () => scene?.close());

/**
 * The API server comes back as it does elsewhere: who cannot renew a lease ends and is started anew, so that controllers and scheduler
 * do not act on what they saw before it went. (Here they are alone and elect nobody.)
 */
async function apiServerBack(): Promise<void> {
  await scene.cluster.start("kube-apiserver");
  for (const component of ["kube-controller-manager", "kube-scheduler"] as const) {
    await scene.cluster.stop(component, "SIGKILL");
    await scene.cluster.start(component);
  }
}

/** A bridge in the middle of its first step, under load. */
async function holding(name: string): Promise<{ bridge: Bridge; load: Load; status: LLMBridgeStatus }> {
  const bridge = scene.bridge(name);
  await bridge.apply(
    await scene.spec({
      scaling: { minReplicas: 3, maxReplicas: 3 },
      rollout: {
        steps: [
          { name: "half", weight: 50, hold: "15s" },
          { name: "all", weight: 100, hold: "5s" },
        ],
        analysis: { interval: "5s", errors: { rollbackAbove: "1%", promoteBelow: "3%" } },
      },
    }),
  );
  await bridge.promoted(await scene.image("first"));
  const load = await scene.load(bridge, { rps: 30, agents: 2, longStreams: 2, longStreamSeconds: 20 });
  await bridge.patch({ image: await scene.image("next") });
  const status = await bridge.waitFor(
    "holding",
    ({ rollout }) => rollout?.phase === "Holding" && rollout.servedSince !== undefined,
  );
  return { bridge, load, status };
}

async function expectPromotedUnharmed(bridge: Bridge, load: Load): Promise<void> {
  await bridge.promoted(await scene.image("next"), 180_000);
  const { failed, cut, samples } = await load.stop();
  expect({ failed, cut, samples }).toEqual({ failed: 0, cut: 0, samples: [] });
}

/** A bridge at rest with an alert that would make it larger at once if its metric were known. */
async function withAlert(): Promise<Bridge> {
  const bridge = scene.bridge("alerting");
  await bridge.apply(
    await scene.spec({
      scaling: { minReplicas: 2, maxReplicas: 4, demandWindow: "15s", scaleDownWindow: "1m" },
      alerts: [],
    }),
  );
  await bridge.promoted(await scene.image("first"));
  return bridge;
}

/** What must not move while nothing is known. */
const inForce = ({ phase, stable, canary, workers }: LLMBridgeStatus) => ({
  phase,
  weights: [stable?.desiredWeight, canary?.desiredWeight],
  replicas: [stable?.replicas, canary?.replicas],
  workers: workers?.current,
});

describe("Prometheus away for a minute in the middle of a step", () => {
  it("holds weight, replicas and workers, says so, lets no alert act, and goes on when it is back", async () => {
    const alerting = await withAlert();
    const { bridge, load, status } = await holding("blind");
    const alertingBefore = inForce(await alerting.status());
    await scene.cluster.stopPrometheus();
    const stoppedMs = Date.now();
    await alerting.patch({
      alerts: [
        { name: "busy", metric: "MemoryShare", above: "1%", for: "1s", action: "ScaleUp", cooldown: "1s" },
      ],
    });
    for (const one of [bridge, alerting]) {
      const told = await one.waitFor(
        "told that its metrics are missing",
        (now) => conditionOf(now, "MetricsAvailable")?.status === "False",
      );
      console.log(
        `Prometheus stopped to MetricsAvailable=False of ${one.name}: ${((Date.now() - stoppedMs) / 1000).toFixed(1)} s`,
      );
      expect(conditionOf(told, "ScalingActive")).toMatchObject({ status: "False", reason: "MetricsMissing" });
      expect(conditionOf(told, "Ready")?.status).toBe("True");
    }
    const unknown = await alerting.waitFor(
      "without its metric",
      ({ alerts }) => alerts[0]?.state === "Unknown",
    );
    expect(unknown.alerts[0]?.message).toContain("the alert does not act");
    const seen = new Set<string>();
    while (Date.now() - stoppedMs < SOURCE_AWAY_MS) {
      seen.add(JSON.stringify([inForce(await bridge.status()), inForce(await alerting.status())]));
      await delay(1_000);
    }
    expect([...seen]).toEqual([JSON.stringify([inForce(status), alertingBefore])]);
    expect(conditionOf(await alerting.status(), "Ready")?.status).toBe("True");
    await scene.cluster.startPrometheus();
    const backMs = Date.now();
    await bridge.waitFor("seeing again", (now) => conditionOf(now, "MetricsAvailable")?.status === "True");
    // The same alert acts as soon as its metric is known.
    await alerting.waitFor("grown by the alert", ({ stable }) => (stable?.replicas ?? 0) > 2);
    await expectPromotedUnharmed(bridge, load);
    console.log(`Prometheus back to promoted: ${((Date.now() - backMs) / 1000).toFixed(1)} s`);
  });
});

describe("the API server away for 20 s in the middle of a step", () => {
  it("leaves the data plane alone, and the operator goes on when it is back", async () => {
    const { bridge, load } = await holding("cut-off");
    await scene.cluster.stop("kube-apiserver", "SIGKILL");
    const before = load.snapshot();
    await delay(SERVER_AWAY_MS);
    const during = load.snapshot();
    expect(during.finished - before.finished).toBeGreaterThan(200);
    expect({ failed: during.failed, cut: during.cut }).toEqual({ failed: 0, cut: 0 });
    await apiServerBack();
    const backMs = Date.now();
    await expectPromotedUnharmed(bridge, load);
    console.log(`API server back to promoted: ${((Date.now() - backMs) / 1000).toFixed(1)} s`);
  });
});
