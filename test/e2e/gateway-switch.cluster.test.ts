import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { HEADERS, ROUTES } from "../../contract/endpoints.ts";
import { until } from "../cluster/until.ts";
import { actor } from "../faults/story.ts";
import type { Load } from "../load/load.ts";
import { GATEWAY, openRouted, removeGateway } from "../scene/gateway.ts";
import type { Scene } from "../scene/scene.ts";

/** BlueGreen with a real gateway between clients and bridge: all of the traffic at once, forward and back. */

const PREVIEW = { header: "x-preview", value: "always" };

let scene: Scene;
let url: string;
let load: Load;
let first: string;
let next: string;
beforeAll(async () => {
  const traffic = { router: "Gateway" as const, route: { parentRefs: [GATEWAY], canaryMatches: [PREVIEW] } };
  const blueGreen = {
    strategy: "BlueGreen" as const,
    preview: { approval: true },
    steps: [{ name: "all", weight: 100, hold: "1h" }],
  };
  ({ scene, url, first, next } = await openRouted("gateway-switch", 2, { ...blueGreen, traffic }));
});
afterAll(async () => {
  await load?.stop(5_000);
  if (!scene) return;
  await removeGateway(scene);
  await scene.close();
});

const chat = () => actor(scene.client, scene.namespace, "chat");

/** Starts the load and brings the version of an image to its switch; returns its revision. */
async function switchedTo(image: string): Promise<string> {
  load = await scene.load(scene.bridge(), { url, rps: 40, longStreams: 3, longStreamSeconds: 20, agents: 3 });
  await scene.bridge().patch({ image });
  const revision = await chat().holding(image);
  await until("its preview by a header", 20_000, async () => {
    const response = await fetch(`${url}${ROUTES.models}`, { headers: { [PREVIEW.header]: PREVIEW.value } });
    await response.arrayBuffer();
    const answered = response.headers.get(HEADERS.revision);
    return answered === revision ? undefined : `revision ${answered} answers`;
  });
  await chat().command({ action: "promote", revision, step: "preview", id: `switch-${revision}` });
  await scene
    .bridge()
    .waitFor(
      "seen to have switched",
      ({ phase, step, rollout }) =>
        phase === "Holding" && step?.name === "all" && rollout?.servedSince !== undefined,
    );
  return revision;
}

/** Ends the load; nothing of it may have failed. Requests by revision. */
async function ended() {
  const report = await load.stop();
  const { sent, failed, cut, samples, versions } = report;
  console.log(JSON.stringify({ sent, failed, cut, lagP99: report.lagMs.p99 }));
  expect({ failed, cut, samples }).toEqual({ failed: 0, cut: 0, samples: [] });
  return versions;
}

describe("BlueGreen behind a gateway", () => {
  it("switches and promotes with 0 failed and 0 cut requests", async () => {
    const revision = await switchedTo(next);
    await chat().command({ action: "promote", revision, step: "all", id: `all-${revision}` });
    await scene.bridge().promoted(next);
    await scene.bridge().waitFor("back at 100", ({ rollout }) => rollout?.routedWeight === 0);
    await ended();
  });

  it("switches back at an abort with 0 failed and 0 cut requests, and none to it afterwards", async () => {
    const revision = await switchedTo(first);
    const abortedMs = Date.now();
    await chat().command({ action: "abort", revision });
    await scene.bridge().rolledBack();
    const versions = await ended();
    const { lastStartMs = 0 } = versions[revision] ?? {};
    console.log(
      `abort to the last request that it accepted: ${((lastStartMs - abortedMs) / 1000).toFixed(1)} s`,
    );
    expect(lastStartMs).toBeGreaterThan(0);
    expect(lastStartMs - abortedMs).toBeLessThan(10_000);
  });
});
