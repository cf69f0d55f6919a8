import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { METRICS } from "../../contract/metrics.ts";
import { createPrometheusClient } from "../../operator/prometheus/client.ts";
import { until } from "../cluster/until.ts";
import { actor } from "../faults/story.ts";
import type { Load } from "../load/load.ts";
import { GATEWAY, openRouted, removeGateway } from "../scene/gateway.ts";
import { expectUnharmed, restartsByPod, rollsBack } from "../scene/rollback.ts";
import type { Scene } from "../scene/scene.ts";

/** A step that mirrors, behind a real gateway that copies requests. Of those that `make test` builds none does: `make test-envoy-gateway`. */

const MIRROR = 50;
const STEPS = [
  { name: "copies", weight: 0, mirror: MIRROR, hold: "1h" },
  { name: "all", weight: 100, hold: "0s", analysis: "None" as const },
];
const ENOUGH = 150;

let scene: Scene;
let url: string;
let load: Load;
let next: string;
beforeAll(async () => {
  const traffic = { router: "Gateway" as const, route: { parentRefs: [GATEWAY] } };
  ({ scene, url, next } = await openRouted("mirroring", 2, { steps: STEPS, traffic }));
  await scene.image("errors");
});
afterAll(async () => {
  await load?.stop(5_000);
  if (!scene) return;
  await removeGateway(scene);
  await scene.close();
});

const startLoad = async () => {
  load = await scene.load(scene.bridge(), { url, rps: 30, longStreams: 2, longStreamSeconds: 20, agents: 2 });
};

/** What a revision has answered, by route. */
async function answered(revision: string): Promise<Record<string, number>> {
  const source = createPrometheusClient({ url: scene.cluster.prometheusUrl });
  try {
    const selector = `{namespace="${scene.namespace}",revision="${revision}"}`;
    const found = await source.query(`sum by (route) (${METRICS.requests}${selector})`, Date.now());
    if (!found.ok) throw new Error(found.message);
    return Object.fromEntries(
      found.series.map(({ labels, samples }) => [labels.route, samples.at(-1)?.value ?? 0]),
    );
  } finally {
    await source.close();
  }
}

const copiedTo = async (revision: string) => {
  const { chat = 0, embeddings = 0 } = await answered(revision);
  return chat + embeddings;
};

describe("copies of requests", () => {
  it("are as many as the step says and of model requests alone, reach no client, and end with the step", async () => {
    const bridge = scene.bridge();
    const { stable } = await bridge.status();
    const revision = stable?.revision ?? "";
    await startLoad();
    await bridge.patch({ image: next });
    const { canary } = await bridge.waitFor(
      "answering copies",
      ({ phase, rollout }) => phase === "Holding" && rollout?.servedSince !== undefined,
    );
    const copy = canary?.revision ?? "";
    const [before, copiesBefore] = [await copiedTo(revision), await copiedTo(copy)];
    await until("enough copies", 60_000, async () => {
      const copies = (await copiedTo(copy)) - copiesBefore;
      return copies >= ENOUGH ? undefined : `${copies} copies`;
    });
    const [asked, copied] = [(await copiedTo(revision)) - before, (await copiedTo(copy)) - copiesBefore];
    console.log(`copied ${copied} of ${asked}; ${JSON.stringify(await answered(copy))}`);
    // Four standard deviations of so many draws, and what a scrape apart adds.
    expect(Math.abs(copied / asked - MIRROR / 100)).toBeLessThan(0.25);
    const { models = 0, agents = 0 } = await answered(copy);
    expect({ models, agents }).toEqual({ models: 0, agents: 0 });
    expect(load.snapshot().versions[copy]).toBeUndefined();

    const { command } = actor(scene.client, scene.namespace, "chat");
    await command({ action: "promote", revision: copy, step: "copies" });
    await bridge.promoted(next);
    const { failed, cut, samples } = await load.stop();
    expect({ failed, cut, samples }).toEqual({ failed: 0, cut: 0, samples: [] });
  });

  it("prove a bad version worse before a client has met it", async () => {
    const bridge = scene.bridge();
    const { stable } = await bridge.status();
    const revision = stable?.revision ?? "";
    await startLoad();
    const of = { bridge, load, stable: revision, pods: await restartsByPod(scene, bridge, revision) };
    const back = await rollsBack(scene, of, { image: await scene.image("errors") }, "ErrorsProvedWorse");
    const report = await load.stop();
    console.log(`${back.message}\n  ${((back.verdictMs - back.editMs) / 1000).toFixed(0)} s after the edit`);
    expectUnharmed(of, report);
    expect(Object.keys(report.versions)).toEqual([revision]);
    expect({ failed: report.failed, cut: report.cut }).toEqual({ failed: 0, cut: 0 });
  });
});
