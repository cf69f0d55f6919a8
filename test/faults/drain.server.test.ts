import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { LABELS } from "../../contract/kubernetes.ts";
import { createInformer } from "../../operator/kube/informer.ts";
import { resources } from "../../operator/kube/resources.ts";
import { until } from "../kube/until.ts";
import { conditionOf } from "../scene/api.ts";
import { type Bed, openBed, type Stage } from "./bed.ts";
import { type PlayedPod, UNREADY } from "./kubelet.ts";
import { addNode, cordon, type Drain, drain } from "./nodes.ts";
import { bridgeImage, storySpec } from "./story.ts";

/**
 * A node is emptied under a bridge: the real scheduler, the real disruption budget and the real eviction API; of kubelet only what it
 * says is played, and that each process it ends was killed.
 */

const [FIRST, SECOND] = [bridgeImage(1), bridgeImage(2)];

let bed: Bed;
let drains: Drain[] = [];
let nodes: string[] = [];
beforeAll(async () => {
  bed = await openBed({ hasNodes: true });
});
afterAll(async () => bed?.down());
/** Nodes of a test are of no use to the next. */
afterEach(async () => {
  await Promise.all([...drains.map((one) => one.stop()), ...nodes.map((name) => cordon(bed.plane, name))]);
  [drains, nodes] = [[], []];
});

async function node(name: string, room: number): Promise<void> {
  nodes.push(name);
  await addNode(bed.plane, name, room);
}

async function drained(name: string, first?: (pod: PlayedPod) => boolean): Promise<Drain> {
  const started = await drain(bed.plane, name, first);
  drains.push(started);
  return started;
}

type Pod = PlayedPod & {
  readonly status?: { readonly conditions?: readonly { type: string; status: string; reason?: string }[] };
};

const isReady = ({ metadata, status }: Pod): boolean =>
  metadata.deletionTimestamp === undefined &&
  status?.conditions?.some(({ type, status: is }) => type === "Ready" && is === "True") === true;

const pods = (stage: Stage) => stage.list<Pod>(resources.pods);
/** Where the living pods are, by revision. */
async function places(stage: Stage): Promise<Record<string, readonly string[]>> {
  const living = (await pods(stage)).filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  const byRevision = Object.groupBy(living, ({ metadata }) => metadata.labels?.[LABELS.revision] ?? "");
  return Object.fromEntries(
    Object.entries(byRevision).map(([revision, list = []]) => [
      revision,
      list.map(({ spec }) => spec.nodeName ?? "nowhere").sort(),
    ]),
  );
}

/** The fewest pods that were ready since it began, seen at every change of any of them. */
async function availability(stage: Stage): Promise<{ fewest(): number; stop(): Promise<void> }> {
  const stopped = new AbortController();
  const informer = createInformer<Pod>({
    client: bed.plane.client,
    resource: resources.pods,
    namespace: stage.namespace,
  });
  const ready = () => informer.store.list().filter(isReady).length;
  const running = informer.start(stopped.signal);
  await informer.synced();
  let fewest = ready();
  informer.onChange(() => {
    fewest = Math.min(fewest, ready());
  });
  return {
    fewest: () => fewest,
    async stop() {
      stopped.abort();
      await running;
    },
  };
}

/** A bridge that serves with so many pods. */
async function serving(replicas: number): Promise<Stage> {
  const stage = await bed.stage();
  const { bridge } = stage.actor();
  await bridge.apply({ ...storySpec(FIRST), replicas });
  await bridge.promoted(FIRST);
  return stage;
}

describe("scenario 25: a node is drained in the middle of a canary", () => {
  it("pod by pod as the budget allows; the rollout waits while there is no room, and goes on when there is", async () => {
    await node("a", 2);
    await node("b", 2);
    const stage = await serving(2);
    const { bridge, command, holding } = stage.actor();
    const stable = (await bridge.status()).stable?.revision ?? "";
    await bridge.patch({ image: SECOND });
    const canary = await holding(SECOND);
    expect(await places(stage)).toEqual({ [stable]: ["a", "b"], [canary]: ["a", "b"] });

    const seen = await availability(stage);
    const emptying = await drained("a", ({ metadata }) => metadata.labels?.[LABELS.revision] === canary);
    await until("an eviction that is refused", async () => (await emptying.refusals()) > 0);
    await until("the canary's pod without a place", async () =>
      (await places(stage))[canary]?.includes("nowhere"),
    );
    // Not even by order: what is missing is a pod, and that nobody can waive.
    await command({ action: "promote", revision: canary, step: "half" });
    const short = await bridge.waitFor(
      "held for want of a pod",
      ({ command: done, summary = "" }) =>
        done?.id === `promote-${canary}` && summary.includes("cannot be scheduled"),
    );
    expect(short).toMatchObject({ phase: "Holding", rollout: { weight: 50, stepName: "half" } });
    expect(conditionOf(short, "Ready")?.status).toBe("True");
    expect(seen.fewest()).toBe(3);

    await node("c", 4);
    await emptying.done;
    await bridge.waitFor("at its last step", ({ rollout }) => rollout?.stepName === "all");
    await command({ action: "promote", revision: canary, full: true, id: "end" });
    const ended = await bridge.promoted(SECOND);
    expect(seen.fewest()).toBeGreaterThanOrEqual(2);
    // Processes that were killed because their pods had to go are no crashes.
    expect(ended.rollout?.failed).toBeUndefined();
    expect(ended.decisions.map(({ action }) => action)).not.toContain("Rollback");
    await seen.stop();
    await stage.close();
  });

  it("with one pod of each version: they go one after the other, and one serves at every moment", async () => {
    await node("d", 2);
    const stage = await serving(1);
    const { bridge, command, holding } = stage.actor();
    await bridge.patch({ image: SECOND });
    const revision = await holding(SECOND);
    await node("e", 4);
    const seen = await availability(stage);
    const emptying = await drained("d");
    await emptying.done;
    await until("both elsewhere", async () =>
      Object.values(await places(stage)).every((list) => list.join() === "e"),
    );
    expect(seen.fewest()).toBe(1);
    expect((await bridge.status()).rollout).toMatchObject({ canaryRevision: revision, weight: 50 });
    await command({ action: "promote", revision, full: true });
    await bridge.promoted(SECOND);
    await seen.stop();
    await stage.close();
  });

  it("with a canary that is not ready: it never stands in the way of the drain, and no pod that serves goes before it", async () => {
    await node("f", 4);
    const stage = await serving(2);
    const { bridge, command } = stage.actor();
    const stable = (await bridge.status()).stable?.revision ?? "";
    await bridge.patch({ image: bridgeImage(UNREADY) });
    const { canary } = await bridge.waitFor(
      "preparing",
      ({ phase, canary: one }) => phase === "Preparing" && one?.replicas === 2,
    );
    const revision = canary?.revision ?? "";
    const isAt = async (of: string, where: string) =>
      (await places(stage))[of]?.join() === `${where},${where}`;
    await until("the canary's pods on the node", () => isAt(revision, "f"));
    await node("g", 8);
    const seen = await availability(stage);
    const emptying = await drained("f");
    await until("the canary's pods elsewhere", () => isAt(revision, "g"));
    await until("an eviction that is refused", async () => (await emptying.refusals()) > 0);
    const status = await bridge.status();
    expect(status).toMatchObject({ phase: "Preparing", rollout: { canaryRevision: revision } });
    expect(status.rollout?.failed).toBeUndefined();
    expect(seen.fewest()).toBe(2);

    // At the latest at progressDeadline; here a person is quicker.
    await command({ action: "abort", revision });
    await emptying.done;
    await bridge.rolledBack();
    await until("the stable version elsewhere", () => isAt(stable, "g"));
    expect(seen.fewest()).toBe(1);
    await seen.stop();
    await stage.close();
  });
});
