import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { LABELS } from "../../contract/kubernetes.ts";
import { orderOutput } from "../../operator/cli/outputs.ts";
import { run } from "../../operator/cli/run.ts";
import { testTerminal } from "../../operator/cli/testing/terminal.ts";
import type { KubeObject } from "../../operator/kube/object.ts";
import { resources } from "../../operator/kube/resources.ts";
import { type Bed, openBed, type Stage } from "../faults/bed.ts";
import { bridgeImage } from "../faults/story.ts";
import { untilOld } from "../kube/old-pods.ts";

/** The plugin's commands against a real API server and a real operator. No Prometheus tells, so that nothing moves by itself. */

const [FIRST, SECOND] = [bridgeImage(1), bridgeImage(2)];

let bed: Bed;
beforeAll(async () => {
  bed = await openBed({ hasBudgets: true });
});
afterAll(async () => bed?.down());

let ids = 0;

/** `kubectl llmbridge ...` in the stage's namespace. */
async function kubectl(stage: Stage, ...words: string[]) {
  ids += 1;
  const terminal = testTerminal({ newId: () => `id-${ids}` });
  const place = ["-n", stage.namespace, "--kubeconfig", bed.plane.server.kubeconfigPath];
  const code = await run([...words, ...place, "--timeout", "60"], {}, terminal);
  return { code, out: terminal.out, err: terminal.err };
}

type Pod = KubeObject & { status?: { conditions?: { type: string; status: string }[] } };
const isReady = ({ metadata, status }: Pod) =>
  metadata.deletionTimestamp === undefined &&
  status?.conditions?.some(({ type, status: is }) => type === "Ready" && is === "True");
const podNames = async (stage: Stage) =>
  (await stage.list<Pod>(resources.pods))
    .filter((pod) => pod.metadata.deletionTimestamp === undefined)
    .map(({ metadata }) => metadata.name);

describe("a person", () => {
  it("leads a canary on and back by the names of its steps", async () => {
    const stage = await bed.serving(FIRST);
    const { bridge, holding } = stage.actor();
    await bridge.patch({ image: SECOND });
    await holding(SECOND);
    expect(await kubectl(stage, "jump", "chat", "--to", "all")).toMatchObject({ code: 0 });
    await bridge.waitFor(
      "at its last step",
      ({ phase, step }) => phase === "Holding" && step?.name === "all",
    );
    const again = await kubectl(stage, "jump", "chat", "--to", "all");
    expect(again).toMatchObject({ code: 1 });
    expect(again.err).toContain("Step all is the present one.");
    expect(await kubectl(stage, "jump", "chat", "--to", "half")).toMatchObject({ code: 0 });
    await bridge.waitFor("back", ({ phase, step }) => phase === "Holding" && step?.name === "half");
    expect(await kubectl(stage, "skip", "chat")).toMatchObject({ code: 0 });
    const { rollout } = await bridge.waitFor(
      "on",
      ({ phase, step }) => phase === "Holding" && step?.name === "all",
    );
    expect(rollout?.weight).toBe(100);
    await stage.close();
  });

  it("undoes what is on its way by withdrawing it, and what is at rest by the spec of before, which takes no steps", async () => {
    const stage = await bed.serving(FIRST);
    const { bridge, holding, command } = stage.actor();
    const first = (await bridge.status()).stable?.revision ?? "";
    await bridge.patch({ image: SECOND, cache: { memory: { maxBytes: "32Mi" } } });
    const second = await holding(SECOND);
    expect((await kubectl(stage, "undo", "chat")).out).toContain("The canary is withdrawn.");
    await bridge.rolledBack();
    // The spec still asks for what was rolled back; undoing again sets it to what serves.
    expect((await kubectl(stage, "undo", "chat")).out).toContain("It is the stable version: no pod changes.");
    await bridge.waitFor(
      "forgiven",
      ({ phase, rollout }) => phase === "Stable" && rollout?.failed === undefined,
    );

    await bridge.patch({ image: SECOND, cache: { memory: { maxBytes: "32Mi" } } });
    await holding(SECOND);
    await command({ action: "promote", revision: second, full: true });
    await bridge.promoted(SECOND);
    await bridge.patch({ alerts: [] });
    const undone = await kubectl(stage, "undo", "chat", "-o", "json");
    expect(orderOutput.parse(JSON.parse(undone.out))).toMatchObject({
      ...{ command: "undo", revision: first, outcome: "Done" },
      message: expect.stringContaining(`the spec asks for revision ${first} again`) as string,
    });
    const back = await bridge.promoted(FIRST);
    expect(back.stable?.revision).toBe(first);
    expect(back.decisions.map(({ reason }) => reason)).toContain("WasStable");
    // What only decides stays as it is.
    expect((await bridge.get()) as unknown).toMatchObject({ spec: { alerts: [] } });
    expect(await kubectl(stage, "undo", "chat", first.slice(0, 6))).toMatchObject({
      code: 1,
      err: expect.stringContaining("asks for revision") as string,
    });
    await stage.close();
  });

  it("replaces every pod by eviction, and there are always as many ready as are needed", async () => {
    const stage = await bed.serving(FIRST);
    const { bridge } = stage.actor();
    const revision = (await bridge.status()).stable?.revision;
    const before = await podNames(stage);
    await untilOld(bed.plane.client, stage.namespace);
    let fewest = Number.POSITIVE_INFINITY;
    let isOver = false;
    const looking = (async () => {
      while (!isOver)
        fewest = Math.min(fewest, (await stage.list<Pod>(resources.pods)).filter(isReady).length);
    })();
    expect(await kubectl(stage, "restart", "chat")).toMatchObject({ code: 0 });
    await bridge.waitFor(
      "restarted",
      ({ rollout, decisions }) =>
        rollout?.restart === undefined && decisions.some(({ reason }) => reason === "Restarted"),
    );
    await expect.poll(async () => (await podNames(stage)).length).toBe(2);
    isOver = true;
    await looking;
    expect((await podNames(stage)).filter((name) => before.includes(name))).toEqual([]);
    expect(fewest).toBeGreaterThanOrEqual(2);
    const evictions = stage.proxy.requests.filter(({ resource }) => resource === "pods/eviction");
    expect(evictions.length).toBeGreaterThanOrEqual(2);
    expect((await bridge.status()).stable?.revision).toBe(revision);
    await stage.close();
  });

  it("has no pod evicted that a disruption budget keeps, until it goes", async () => {
    const stage = await bed.serving(FIRST);
    const { bridge } = stage.actor();
    const selector = { matchLabels: { [LABELS.bridge]: "chat" } };
    const budget = {
      apiVersion: "policy/v1",
      kind: "PodDisruptionBudget",
      metadata: { name: "mine", namespace: stage.namespace },
      spec: { minAvailable: 4, selector },
    };
    await bed.plane.client.create(resources.podDisruptionBudgets, budget);
    const before = await podNames(stage);
    await untilOld(bed.plane.client, stage.namespace);
    expect(await kubectl(stage, "restart", "chat")).toMatchObject({ code: 0 });
    const refused = () =>
      stage.proxy.requests.filter(
        ({ resource, serverCode }) => resource === "pods/eviction" && serverCode !== 201,
      ).length;
    await expect.poll(refused).toBeGreaterThanOrEqual(2);
    expect((await podNames(stage)).filter((name) => before.includes(name))).toHaveLength(before.length);
    await bed.plane.client.delete(resources.podDisruptionBudgets, stage.namespace, "mine");
    // A server that fails in the middle of an eviction has charged the budget for it: nothing more is evicted for two minutes.
    await bridge.waitFor(
      "restarted",
      ({ decisions }) => decisions.some(({ reason }) => reason === "Restarted"),
      180_000,
    );
    await stage.close();
  }, 300_000);
});
