import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PORTS, ROUTES } from "../../contract/endpoints.ts";
import { until } from "../cluster/until.ts";
import { type BridgePod, podsOf } from "../scene/pods.ts";
import { expectUnharmed, restartsByPod, serving, sufferingOf } from "../scene/rollback.ts";
import { openScene, type Scene } from "../scene/scene.ts";

let scene: Scene;
beforeAll(async () => {
  scene = await openScene("watching");
});
afterAll(async () => scene?.close());

/** From the first request for this model on a pod of the version fails a quarter of what it is asked. */
const TURNS_BAD = "turns-bad";
const badLater = {
  env: [
    { name: "BAD_FROM_MODEL", value: TURNS_BAD },
    { name: "BAD_ERROR_SHARE", value: "0.25" },
  ],
};
const rollout = {
  steps: [
    { name: "half", weight: 50, hold: "1s" },
    { name: "all", weight: 100, hold: "1s" },
  ],
  analysis: { interval: "5s", errors: { rollbackAbove: "5%", promoteBelow: "10%" } },
  watchAfter: "2m",
};

async function turnBad({ ip, name }: BridgePod): Promise<void> {
  const body = JSON.stringify({ model: TURNS_BAD, messages: [{ role: "user", content: `q-${name}` }] });
  const headers = { "content-type": "application/json" };
  const response = await fetch(`http://${ip}:${PORTS.traffic}${ROUTES.chat}`, {
    method: "POST",
    headers,
    body,
  });
  expect(response.status, await response.text()).toBe(200);
}

describe("a version that turns bad after its promotion", () => {
  it("is left for the one before, whose pods have waited, and nobody fails but whom the bad version answered", async () => {
    const of = await serving(
      scene,
      "chat",
      { replicas: 2, rollout },
      { rps: 20, longStreams: 1, longStreamSeconds: 10, agents: 1 },
    );
    await of.bridge.patch({ image: await scene.image("errors"), pod: badLater });
    const { stable, previous } = await of.bridge.waitFor("watched", ({ phase }) => phase === "Watching");
    const bad = stable?.revision ?? "";
    expect(previous).toMatchObject({ revision: of.stable, ready: 2, desiredWeight: 0 });

    const turnedMs = Date.now();
    const pods = (await podsOf(scene.client, of.bridge)).filter(({ revision }) => revision === bad);
    await Promise.all(pods.map(turnBad));
    const status = await of.bridge.waitFor("back", ({ phase }) => phase === "Aborted");
    const seconds = ((Date.now() - turnedMs) / 1000).toFixed(0);
    expect(status.rollout).toMatchObject({
      stableRevision: of.stable,
      failed: { revision: bad, reason: "ErrorsProvedWorse" },
    });
    expect(status.decisions).toContainEqual(
      expect.objectContaining({ action: "Rollback", reason: "ErrorsProvedWorse" }),
    );
    expect(await restartsByPod(scene, of.bridge, of.stable)).toEqual(of.pods);

    // The version before serves again, alone.
    const servedBy = (revision: string) => of.load.snapshot().versions[revision]?.finished ?? 0;
    const before = servedBy(of.stable);
    await until("the version before to serve", 60_000, async () =>
      servedBy(of.stable) > before + 100 ? undefined : `${servedBy(of.stable) - before} requests`,
    );
    const report = await of.load.stop(15_000);
    console.log(
      `watching: bad to back ${seconds} s: ${status.rollout?.failed?.message}\n` +
        `before ${sufferingOf(of.stable, report)}; bad ${sufferingOf(bad, report)}`,
    );
    expectUnharmed(of, report);
    expect(Object.keys(report.versions).sort()).toEqual([of.stable, bad].sort());
    expect(report.versions[bad]).toMatchObject({ failed: expect.toSatisfy((count) => count > 0), cut: 0 });
    const { rollout: after, ...end } = await of.bridge.status();
    expect([end.phase, after?.stableRevision]).toEqual(["Aborted", of.stable]);
  });
});
