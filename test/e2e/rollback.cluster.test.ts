import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { LLMBridgeSpecInput } from "../../operator/api/v1alpha1/spec.ts";
import { resources } from "../../operator/kube/resources.ts";
import type { BridgeVersion } from "../images/all.ts";
import type { LoadOptions, Report } from "../load/load.ts";
import { conditionOf } from "../scene/api.ts";
import { type Kubectl, kubectlIn } from "../scene/kubectl.ts";
import {
  expectUnharmed,
  lastAcceptedSeconds,
  rollsBack,
  type Serving,
  serving,
  sufferingOf,
} from "../scene/rollback.ts";
import { openScene, type Scene } from "../scene/scene.ts";

let scene: Scene;
let kubectl: Kubectl;
beforeAll(async () => {
  scene = await openScene("rollback");
  kubectl = kubectlIn(scene.cluster, scene.namespace);
  await scene.model.set({ delayMs: 50 });
});
afterAll(async () => scene?.close());

/** No step ends by itself here: only a rollback does. */
const rolloutFrom = (weight: number, more: object = {}): NonNullable<LLMBridgeSpecInput["rollout"]> => ({
  steps: [
    { name: weight === 50 ? "half" : "quarter", weight, hold: "1h" },
    { name: "all", weight: 100 },
  ],
  analysis: { interval: "5s", ...more },
});

interface BadlyServing {
  readonly name: string;
  readonly version: BridgeVersion;
  readonly reason: string;
  readonly spec: Partial<LLMBridgeSpecInput>;
  readonly traffic: Omit<LoadOptions, "url">;
}

const SERVE_BADLY: readonly BadlyServing[] = [
  {
    name: "errors",
    version: "errors",
    reason: "ErrorsProvedWorse",
    spec: { replicas: 3, rollout: rolloutFrom(25) },
    traffic: { rps: 20, longStreams: 2, longStreamSeconds: 20, agents: 2 },
  },
  {
    name: "errors-at-half",
    version: "errors",
    reason: "ErrorsProvedWorse",
    spec: { replicas: 2, rollout: rolloutFrom(50) },
    traffic: { rps: 14 },
  },
  {
    // 100 ms more than the 50 ms of the model.
    name: "slow",
    version: "slow",
    reason: "LatencyProvedWorse",
    spec: {
      replicas: 3,
      rollout: rolloutFrom(25, {
        latency: { signal: "FirstByte", objective: "100ms", rollbackAbove: "5%", promoteBelow: "10%" },
      }),
    },
    traffic: { rps: 8, repeatShare: 0, streamShare: 0.5 },
  },
  {
    name: "memory",
    version: "memory",
    reason: "GateViolated",
    spec: {
      replicas: 2,
      rollout: rolloutFrom(50, {
        gates: [{ name: "memory", metric: "MemoryPerPod", maxIncrease: "30%" }],
      }),
    },
    // At a few requests a second chance deals pods so unlike shares that many looks say nothing.
    traffic: { rps: 20 },
  },
];

function tell(name: string, lines: readonly string[]): void {
  console.log([name, ...lines].join("\n  "));
}

async function finish(of: Serving): Promise<Report> {
  const report = await of.load.stop(10_000);
  expectUnharmed(of, report);
  return report;
}

describe.concurrent("a bad version under constant load", () => {
  it.each(SERVE_BADLY)(
    "is rolled back by the evidence: $name",
    async ({ name, version, reason, spec, traffic }) => {
      const of = await serving(scene, name, spec, traffic);
      const back = await rollsBack(scene, of, { image: await scene.image(version) }, reason);
      const report = await finish(of);
      const seconds = lastAcceptedSeconds(back, report);
      tell(name, [
        back.message,
        `edit to verdict ${((back.verdictMs - back.editMs) / 1000).toFixed(0)} s, ` +
          `verdict to the last request that the canary accepted ${seconds.toFixed(1)} s`,
        `stable ${sufferingOf(of.stable, report)}; canary ${sufferingOf(back.canary, report)}; lag p99 ${report.lagMs.p99.toFixed(0)} ms`,
      ]);
      // It left the Service with the verdict, long before its streams had ended.
      expect(seconds).toBeLessThan(20);
      expect(report.versions.unknown).toBeUndefined();
      if (version === "errors") expect(report.versions[back.canary]?.failed).toBeGreaterThan(0);
    },
  );

  it("is rolled back by what its containers do: it crashes, runs out of heap, is killed, is never ready", async () => {
    const of = await serving(scene, "faults", { replicas: 2, rollout: rolloutFrom(50) }, { rps: 3 });
    const told: string[] = [];
    const ship = async (version: BridgeVersion, reason: string, text: RegExp, progressDeadline = "5m") => {
      const edit = { image: await scene.image(version), rollout: { progressDeadline } };
      const back = await rollsBack(scene, of, edit, reason);
      expect(back.message).toMatch(text);
      told.push(`${((back.verdictMs - back.editMs) / 1000).toFixed(0)} s: ${back.message}`);
      return back;
    };
    await ship("heap", "HeapExhausted", /FATAL ERROR.*heap/);
    await ship("killed", "OOMKilled", /killed the container at its memory limit/);
    await ship("unready", "NeverReady", /not ready within progressDeadline 30s/, "30s");
    const { canary, status } = await ship("crash", "CrashLoop", /exit 1: .*Cannot find module/);

    // What failed is not tried again for an edit that does not reach its pods, only on request.
    const { generation = 0 } = (await of.bridge.get())?.metadata ?? {};
    await of.bridge.patch({ rollout: { progressDeadline: "6m" } });
    const held = await of.bridge.waitFor("seen again", (now) => (now.observedGeneration ?? 0) > generation);
    expect(held).toMatchObject({ phase: "Aborted", rollout: { failed: { revision: canary } } });
    expect(held.canary).toBeUndefined();
    expect(await kubectl("llmbridge", "retry", "faults")).toMatch(
      `faults: Revision ${canary} is tried again from the first step.`,
    );
    await of.bridge.waitFor(
      "rolled back anew",
      (now) => now.phase === "Aborted" && now.rollout?.failed?.time !== status.rollout?.failed?.time,
    );
    const report = await finish(of);
    tell("faults", [...told, `stable ${sufferingOf(of.stable, report)}`]);
  });

  it("is rolled back by what kubelet says: its image or its Secret is missing", async () => {
    const of = await serving(scene, "missing", { replicas: 2, rollout: rolloutFrom(50) }, { rps: 2 });
    const image = "llmbridge-test/nowhere:1.0.0";
    const pull = await rollsBack(scene, of, { image, imagePullPolicy: "IfNotPresent" }, "ImagePull");
    expect(pull.message).toContain(image);
    const [upstream] = (await scene.spec()).upstreams;
    const secretRef = { name: "not-there", key: "token" };
    const edit = { image: await scene.image("first"), upstreams: [{ ...upstream, secretRef }] };
    const config = await rollsBack(scene, of, edit, "ConfigError");
    expect(config.message).toMatch(/secret "not-there" not found/);
    const report = await finish(of);
    tell("missing", [pull.message, config.message, `stable ${sufferingOf(of.stable, report)}`]);
  });

  it("does not touch what belongs to someone else, says how to go on, and goes on when that is gone", async () => {
    const theirs = {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "taken-canary", namespace: scene.namespace, labels: { team: "other" } },
      spec: { selector: { app: "other" }, ports: [{ port: 80 }] },
    };
    const foreign = await scene.client.create(resources.services, theirs);
    const bridge = scene.bridge("taken");
    const wanted = await scene.spec();
    await bridge.apply(wanted);
    const status = await bridge.waitFor("refused", (one) => conditionOf(one, "Accepted")?.status === "False");
    expect(conditionOf(status, "Accepted")).toMatchObject({
      reason: "NameConflict",
      message: expect.stringMatching(/Service "taken-canary" already exists.*rename or delete it/),
    });
    expect(await scene.client.get(resources.services, scene.namespace, "taken-canary")).toEqual(foreign);
    tell("taken", [conditionOf(status, "Accepted")?.message ?? ""]);
    await scene.client.delete(resources.services, scene.namespace, "taken-canary");
    await bridge.promoted(wanted.image);
  });
});
