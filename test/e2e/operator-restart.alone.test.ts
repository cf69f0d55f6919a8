import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { resources } from "../../operator/kube/resources.ts";
import { cacheRoot } from "../../tools/setup/cache.ts";
import { until } from "../cluster/until.ts";
import { nextOperatorImage } from "../images/all.ts";
import type { Report } from "../load/load.ts";
import type { Bridge } from "../scene/api.ts";
import { type AuditedRequest, startAudit, writesOfOperator } from "../scene/audit.ts";
import { installOperator } from "../scene/operator.ts";
import { killOperator, leader, leaderIdentity } from "../scene/operator-pods.ts";
import { openScene, type Scene } from "../scene/scene.ts";

let scene: Scene;
beforeAll(async () => {
  scene = await openScene("restart");
});
afterAll(async () => scene?.close());

/** The first step is long enough for a new operator to take over while it holds. Replicas are fixed: nothing but the rollout moves them. */
async function spec(hold: string) {
  return scene.spec({
    scaling: { minReplicas: 2, maxReplicas: 2 },
    rollout: {
      steps: [
        { name: "half", weight: 50, hold },
        { name: "all", weight: 100, hold: "5s" },
      ],
      analysis: { interval: "5s", errors: { rollbackAbove: "1%", promoteBelow: "3%" } },
      progressDeadline: "2m",
    },
  });
}

function expectUnharmed(report: Report): void {
  expect({ failed: report.failed, cut: report.cut, samples: report.samples }).toEqual({
    failed: 0,
    cut: 0,
    samples: [],
  });
}

/** What an upgrade of the operator must leave alone: every pod with its restarts, and every Deployment's template. */
async function workload(bridge: Bridge) {
  const options = { namespace: scene.namespace, labelSelector: `llmbridge.dev/bridge=${bridge.name}` };
  const pods = await scene.client.list(resources.pods, options);
  const deployments = await scene.client.list(resources.deployments, options);
  return {
    pods: pods
      .map((pod) => {
        const { status } = pod as { status?: { containerStatuses?: { restartCount: number }[] } };
        const restarts = (status?.containerStatuses ?? []).map((one) => one.restartCount).join();
        return `${pod.metadata.uid} restarts ${restarts}`;
      })
      .sort(),
    templates: Object.fromEntries(
      deployments.map((one) => [
        one.metadata.name,
        (one as { spec?: { template?: unknown } }).spec?.template,
      ]),
    ),
  };
}

const capacityWrites = (writes: readonly AuditedRequest[], deployment: string) =>
  writes.filter((one) => one.resource === "deployments" && one.name === deployment && one.code === 200);

describe("an operator that is killed in the middle of a step", () => {
  it("goes on where it was: no request fails, no write is repeated, no interval is lost or counted twice", async () => {
    const bridge = scene.bridge("killed");
    await bridge.apply(await spec("30s"));
    const first = await bridge.promoted(await scene.image("first"));
    const answered: { version: string; endMs: number }[] = [];
    const load = await scene.load(bridge, {
      rps: 30,
      onOutcome: ({ version, intendedMs, latencyMs }) =>
        answered.push({ version, endMs: intendedMs + latencyMs }),
    });
    const audit = startAudit(scene.cluster.auditLogPath);
    const image = await scene.image("next");
    await bridge.patch({ image });
    const holding = await bridge.waitFor(
      "holding at the first step",
      ({ rollout }) => rollout?.phase === "Holding" && rollout.servedSince !== undefined,
    );
    const before = await leaderIdentity(scene.client);
    const killedMs = Date.now();
    await killOperator(scene.client, await leader(scene.client));
    await until("another process to lead", 60_000, async () =>
      (await leaderIdentity(scene.client)) === before ? "the lease names the one that was killed" : undefined,
    );
    console.log(
      `operator killed to led again, in the same pod: ${((Date.now() - killedMs) / 1000).toFixed(1)} s`,
    );
    // One status holds both: how many requests of the canary were counted, and up to when.
    const passed = await bridge.waitFor(
      "through the first step",
      ({ rollout, evidence }) => rollout?.stepName === "all" && evidence !== undefined,
    );
    const done = await bridge.promoted(image);
    const report = await load.stop();
    expectUnharmed(report);

    const canary = holding.canary?.revision ?? "";
    const stable = first.stable?.revision ?? "";
    expect(done.stable?.revision).toBe(canary);
    const writes = writesOfOperator(await audit.requests()).filter(
      (one) => one.namespace === scene.namespace,
    );
    const created = writes.filter((one) => one.resource === "deployments" && one.code === 201);
    expect(created.map((one) => one.name)).toEqual([`killed-${canary}`]);
    // Its replicas are written at its creation, and then its track; stable's for the last step and at the end.
    expect(capacityWrites(writes, `killed-${canary}`).length).toBeLessThanOrEqual(2);
    expect(capacityWrites(writes, `killed-${stable}`).length).toBeLessThanOrEqual(2);

    const counted = passed.verdicts.find((one) => one.signal === "errors")?.samples ?? 0;
    const [sinceMs, untilMs] = [holding.rollout?.evidenceSince, passed.evidence?.intervalEnd].map((time) =>
      Date.parse(time ?? ""),
    ) as [number, number];
    const served = answered.filter(
      ({ version, endMs }) => version === canary && endMs > sinceMs && endMs <= untilMs,
    ).length;
    console.log(
      `evidence across the kill: ${counted} requests of the canary counted in ${(untilMs - sinceMs) / 1000} s, ${served} answered in that time`,
    );
    // Scrapes are a second apart, so that the edges are not sharp; a lost or doubled interval would be a sixth of all.
    expect(counted / served).toBeGreaterThan(0.92);
    expect(counted / served).toBeLessThan(1.08);
  });
});

describe("an operator that is upgraded to a version that renders differently", () => {
  it("changes no pod, neither at rest nor in the middle of a rollout, and finishes what was begun", async () => {
    const bridge = scene.bridge("upgraded");
    await bridge.apply(await spec("10s"));
    const first = await bridge.promoted(await scene.image("first"));
    await scene.cluster.loadImage(await nextOperatorImage(cacheRoot(process.env)));
    const load = await scene.load(bridge, { rps: 20 });

    const atRest = await workload(bridge);
    const audit = startAudit(scene.cluster.auditLogPath);
    await installOperator(scene.cluster, { tag: "next" });
    await until("the new version to have looked at every bridge", 60_000, async () => {
      const looked = (await audit.requests()).some(
        ({ userAgent, verb, resource, name }) =>
          userAgent === "llmbridge-operator/0.2.0" &&
          verb === "get" &&
          resource === "llmbridges" &&
          name === bridge.name,
      );
      return looked ? undefined : "it has not read the bridge";
    });
    await bridge.patch({ alerts: [] });
    const edited = (await bridge.get())?.metadata.generation ?? 0;
    const seen = await bridge.waitFor("seen", (now) => (now.observedGeneration ?? 0) >= edited);
    expect(seen.phase).toBe("Stable");
    expect(await workload(bridge)).toEqual(atRest);

    // A revision that the new version renders, then the old version again in the middle of its rollout.
    const image = await scene.image("next");
    await bridge.patch({ image });
    await bridge.waitFor("holding", ({ rollout }) => rollout?.phase === "Holding");
    const midway = await workload(bridge);
    await installOperator(scene.cluster, { tag: "dev" });
    await bridge.waitFor("held on", ({ rollout }) => rollout?.phase === "Holding");
    expect(await workload(bridge)).toEqual(midway);
    const done = await bridge.promoted(image);
    const after = await workload(bridge);
    expect(after.templates).toEqual(midway.templates);
    expect(midway.pods).toEqual(expect.arrayContaining(after.pods));

    // Back to the first image: its revision is the very same one, whoever rendered it.
    await bridge.patch({ image: await scene.image("first") });
    const back = await bridge.waitFor("holding again", ({ rollout }) => rollout?.phase === "Holding");
    expect(back.canary?.revision).toBe(first.stable?.revision);
    expect(done.stable?.revision).not.toBe(first.stable?.revision);
    expect((await workload(bridge)).templates).toEqual(midway.templates);
    expectUnharmed(await load.stop());
  });
});
