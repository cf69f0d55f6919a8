import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { HEADERS, ROUTES } from "../../contract/endpoints.ts";
import { resources } from "../../operator/kube/resources.ts";
import { actor } from "../faults/story.ts";
import type { Load, Report } from "../load/load.ts";
import { conditionOf } from "../scene/api.ts";
import { CONTROLLER, GATEWAY, openRouted, removeGateway } from "../scene/gateway.ts";
import { podsOf } from "../scene/pods.ts";
import type { Scene } from "../scene/scene.ts";

/** Router Gateway with a real gateway between clients and bridge, as it is configured by default. */

const STEPS = [
  { name: "twentieth", weight: 5, hold: "1h" },
  { name: "quarter", weight: 25, hold: "1h" },
  { name: "all", weight: 100, hold: "1h" },
];

/** Clients that get the canary whatever its weight. */
const MATCH = { cookie: "canary", value: "always" };

let scene: Scene;
let url: string;
let load: Load;
let first: string;
let next: string;
beforeAll(async () => {
  const traffic = { router: "Gateway" as const, route: { parentRefs: [GATEWAY], canaryMatches: [MATCH] } };
  ({ scene, url, first, next } = await openRouted("gateway", 4, { steps: STEPS, traffic }));
});
afterAll(async () => {
  await load?.stop(5_000);
  if (!scene) return;
  await removeGateway(scene);
  await scene.close();
});

const startLoad = async () => {
  load = await scene.load(scene.bridge(), { url, rps: 40, longStreams: 3, longStreamSeconds: 20, agents: 3 });
};
const ended = async (): Promise<Report> => {
  const report = await load.stop();
  const { sent, failed, cut, reasons, lagMs } = report;
  console.log(JSON.stringify({ sent, failed, cut, reasons, lagP99: lagMs.p99 }));
  return report;
};
/** Who answers a client with these headers. */
async function revisionFor(headers: Record<string, string>): Promise<string | null> {
  const response = await fetch(`${url}${ROUTES.models}`, { headers });
  await response.arrayBuffer();
  return response.headers.get(HEADERS.revision);
}
const chat = () => actor(scene.client, scene.namespace, "chat");

/** Waits until the canary holds at a step and is seen to serve its share. */
const served = (weight: number) =>
  scene
    .bridge()
    .waitFor(
      `seen at ${weight} %`,
      ({ phase, step, rollout }) =>
        phase === "Holding" && step?.weight === weight && rollout?.servedSince !== undefined,
    );

describe("a version behind a gateway", () => {
  it("goes through weights from 5 to 100 % and becomes stable, with 0 failed and 0 cut requests", async () => {
    await startLoad();
    await scene.bridge().patch({ image: next });
    for (const { name, weight } of STEPS) {
      const { canary, rollout } = await served(weight);
      expect(rollout?.routedWeight).toBe(weight);
      expect(await revisionFor({ cookie: "theme=dark; canary=always" })).toBe(canary?.revision);
      // As much as its share of four pods' capacity needs, and no more.
      expect(canary).toMatchObject({ desiredWeight: weight, replicas: Math.ceil((4 * weight) / 100) });
      await chat().command({ action: "promote", revision: canary?.revision ?? "", step: name, id: name });
    }
    await scene.bridge().promoted(next);
    await scene.bridge().waitFor("back at 100", ({ rollout }) => rollout?.routedWeight === 0);
    expect(await revisionFor({ cookie: "canary=always" })).toBe(
      (await scene.bridge().status()).stable?.revision,
    );
    const report = await ended();
    expect({ failed: report.failed, cut: report.cut, samples: report.samples }).toEqual({
      ...{ failed: 0, cut: 0, samples: [] },
    });
  });

  it("leaves at an abort with 0 failed and 0 cut requests, and none to it afterwards", async () => {
    await startLoad();
    await scene.bridge().patch({ image: first });
    const { canary } = await served(5);
    const revision = canary?.revision ?? "";
    await chat().command({ action: "promote", revision, step: "twentieth", id: "on" });
    await served(25);
    const abortedMs = Date.now();
    await chat().command({ action: "abort", revision });
    await scene.bridge().rolledBack();
    const report = await ended();
    expect({ failed: report.failed, cut: report.cut, samples: report.samples }).toEqual({
      ...{ failed: 0, cut: 0, samples: [] },
    });
    const { lastStartMs = 0 } = report.versions[revision] ?? {};
    console.log(
      `abort to the last request that the canary accepted: ${((lastStartMs - abortedMs) / 1000).toFixed(1)} s`,
    );
    // It was over before the last of its pods was told to end.
    expect(lastStartMs - abortedMs).toBeLessThan(10_000);
  });

  it("holds while one of its parents refuses the route, in the gateway's words, and goes on afterwards", async () => {
    // A step counts from the canary's first requests.
    await startLoad();
    const bridge = scene.bridge();
    const nowhere = { name: GATEWAY.name, sectionName: "nowhere" };
    await bridge.patch({ rollout: { traffic: { route: { parentRefs: [GATEWAY, nowhere] } } } });
    const status = await bridge.waitFor(
      "refused",
      (now) => conditionOf(now, "RouteAccepted")?.status === "False",
    );
    console.log(conditionOf(status, "RouteAccepted")?.message);
    expect(conditionOf(status, "RouteAccepted")).toMatchObject({
      reason: "Refused",
      message: expect.stringContaining(
        `refused by Gateway gw (${CONTROLLER}): Accepted is False, NoMatchingParent`,
      ),
    });
    const retried = bridge.waitFor(
      "held by it",
      (now) => conditionOf(now, "Progressing")?.message.includes("NoMatchingParent") === true,
    );
    await bridge.patch({ pod: { annotations: { "example.com/try": "2" } } });
    await retried;
    await bridge.patch({ rollout: { traffic: { route: { parentRefs: [GATEWAY] } } } });
    await served(5);
    const { failed, cut, samples } = await ended();
    expect({ failed, cut, samples }).toEqual({ failed: 0, cut: 0, samples: [] });
  });

  it("whose pods all go away leaves its share to the stable version, and gets it back with them", async () => {
    const bridge = scene.bridge();
    await startLoad();
    const { canary } = await served(5);
    const revision = canary?.revision ?? "";
    await chat().command({ action: "promote", revision, step: "twentieth", id: "on-again" });
    await served(25);
    const pods = (await podsOf(scene.client, bridge)).filter((pod) => pod.revision === revision);
    const goneMs = Date.now();
    await Promise.all(pods.map(({ name }) => scene.client.delete(resources.pods, scene.namespace, name)));
    await bridge.waitFor("without it", ({ canary: now }) => now?.desiredWeight === 0);
    await bridge.waitFor(
      "with it again",
      ({ canary: now, rollout }) => now?.desiredWeight === 25 && rollout?.routedWeight === 25,
    );
    const report = await ended();
    const late = report.samples.filter(({ atMs }) => atMs > goneMs + 10_000);
    console.log(
      JSON.stringify({
        failures: report.samples.map(({ atMs, reason }) => `${atMs - goneMs} ms: ${reason}`),
      }),
    );
    expect(late).toEqual([]);
    expect(report.cut).toBe(0);
  });
});
