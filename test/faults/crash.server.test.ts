import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { LABELS } from "../../contract/kubernetes.ts";
import { controllerOf, type KubeObject } from "../../operator/kube/object.ts";
import { resources } from "../../operator/kube/resources.ts";
import { until } from "../kube/until.ts";
import { conditionOf } from "../scene/api.ts";
import { type Bed, openBed, type Stage } from "./bed.ts";
import { diesAt } from "./dies-at.ts";
import { looks } from "./operator-process.ts";
import { isOwnWrite, type ProxiedRequest } from "./proxy.ts";
import { asksForState, firstLooks } from "./request.ts";
import { revisionOf, seen, settled } from "./settled.ts";
import { bridgeImage, storySpec } from "./story.ts";
import { delayed, replayed } from "./strike.ts";

/** The operator's process ends at the worst moments of a rollout. By their numbers in the list of scenarios that it must survive. */

interface Deployment extends KubeObject {
  readonly spec: { readonly replicas: number };
}
interface Pod extends KubeObject {
  readonly status?: { readonly conditions?: readonly { type: string; status: string }[] };
}
interface Service extends KubeObject {
  readonly spec: { readonly selector: Readonly<Record<string, string>> };
}

const [FIRST, SECOND, THIRD] = [bridgeImage(1), bridgeImage(2), bridgeImage(3)];

let bed: Bed;
beforeAll(async () => {
  bed = await openBed();
});
afterAll(async () => bed?.down());

const atZero = (stage: Stage, revision: string): Promise<boolean> =>
  until(`revision ${revision} at zero`, async () =>
    (await stage.list<Deployment>(resources.deployments)).some(
      (one) => revisionOf(one) === revision && one.spec.replicas === 0,
    ),
  );
const creations = (stage: Stage): string[] =>
  stage
    .writes()
    .filter(({ resource, serverCode }) => resource === "deployments" && serverCode === 201)
    .map(({ name }) => name);

describe("scenario 1: a crash after the canary's Deployment was made and before status says so", () => {
  it("adopts it: there is one Deployment of the canary, owned by the bridge", async () => {
    const stage = await bed.serving(FIRST);
    const { bridge, holding } = stage.actor();
    const stable = (await bridge.status()).stable?.revision ?? "";
    const death = diesAt(
      stage,
      ({ resource, name }) => resource === "deployments" && !name.endsWith(stable),
      "After",
    );
    await bridge.patch({ image: SECOND });
    await death.restarted;
    const canary = await holding(SECOND);
    const deployments = await stage.list<Deployment>(resources.deployments);
    expect(deployments.map(revisionOf).sort()).toEqual([stable, canary].sort());
    expect(creations(stage).filter((name) => name.endsWith(canary))).toHaveLength(1);
    const uid = (await bridge.get())?.metadata.uid;
    expect(deployments.map((one) => controllerOf(one)?.uid)).toEqual([uid, uid]);
    await stage.close();
  });
});

describe("scenario 2: a crash after traffic was moved and before the step is recorded", () => {
  it("reads where traffic goes, moves it no second time, and holds the step", async () => {
    const stage = await bed.serving(FIRST);
    const { bridge, holding } = stage.actor();
    const death = diesAt(stage, ({ resource, name }) => resource === "services" && name === "chat", "After");
    await bridge.patch({ image: SECOND });
    await death.restarted;
    await holding(SECOND);
    const moves = stage
      .writes()
      .filter(
        ({ resource, name, verb, serverCode }) =>
          resource === "services" && name === "chat" && verb === "patch" && serverCode === 200,
      );
    expect(moves).toHaveLength(1);
    const { canary: told, rollout } = await bridge.status();
    expect([told?.desiredWeight, rollout?.stepName]).toEqual([50, "half"]);
    // Both versions whole: traffic is split evenly, and the way back is open.
    const replicas = (await stage.list<Deployment>(resources.deployments)).map(({ spec }) => spec.replicas);
    expect(replicas).toEqual([2, 2]);
    await stage.close();
  });
});

/** The fewest ready pods that the bridge's Service selected, from now until it is stopped. */
function watchAvailability(stage: Stage): { stop(): Promise<number> } {
  let isOver = false;
  const run = async () => {
    let fewest = Number.POSITIVE_INFINITY;
    while (!isOver) {
      const [services, pods] = await Promise.all([
        stage.list<Service>(resources.services),
        stage.list<Pod>(resources.pods),
      ]);
      const selector = services.find(({ metadata }) => metadata.name === "chat")?.spec.selector ?? {};
      const selected = pods.filter(
        ({ metadata, status }) =>
          Object.entries(selector).every(([key, value]) => metadata.labels?.[key] === value) &&
          !metadata.deletionTimestamp &&
          status?.conditions?.some(({ type, status: is }) => type === "Ready" && is === "True"),
      );
      fewest = Math.min(fewest, selected.length);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    return fewest;
  };
  const running = run();
  return {
    stop() {
      isOver = true;
      return running;
    },
  };
}

describe("scenario 3: a crash between making the canary stable and scaling the old version to zero", () => {
  it("finishes, and at no moment fewer pods serve than should", async () => {
    const stage = await bed.serving(FIRST);
    const { bridge, command, holding } = stage.actor();
    const old = (await bridge.status()).stable?.revision ?? "";
    await bridge.patch({ image: SECOND });
    const revision = await holding(SECOND);
    const availability = watchAvailability(stage);
    // Traffic has moved; what follows takes the old version away.
    const before = stage.writes().length;
    const hasMoved = () =>
      stage
        .writes()
        .slice(before)
        .some(({ resource, name, carriedOut }) => resource === "services" && name === "chat" && carriedOut);
    const death = diesAt(
      stage,
      ({ resource, name }) => resource === "deployments" && name.endsWith(old) && hasMoved(),
      "Before",
    );
    await command({ action: "promote", revision, full: true });
    await death.restarted;
    await bridge.promoted(SECOND);
    await atZero(stage, old);
    expect(await availability.stop()).toBe(2);
    await stage.close();
  });
});

// One that takes over is another matter: given-back.server.test.ts.
describe("scenario 4: a bridge that is deleted while no operator runs", () => {
  it("goes at once with all of its children, for nothing of it waits for an operator", async () => {
    const stage = await bed.serving(FIRST);
    const { bridge } = stage.actor();
    await stage.kill();
    await bridge.delete();
    expect(await bridge.get()).toBeUndefined();
    for (const resource of [resources.deployments, resources.services, resources.configMaps, resources.pods])
      await until(`no ${resource.plural} of it`, async () =>
        (await stage.list(resource)).every(({ metadata }) => metadata.labels?.[LABELS.bridge] !== "chat"),
      );
    const before = stage.writes().length;
    await stage.start();
    await stage.actor("other").bridge.apply(storySpec(FIRST));
    await stage.actor("other").bridge.promoted(FIRST);
    expect(
      stage
        .writes()
        .slice(before)
        .filter(({ name }) => name.startsWith("chat")),
    ).toEqual([]);
    await stage.close();
  });
});

/** A bridge that was led from the first version to the second, and whose operator has ended. */
async function leftOnSecond(): Promise<Stage> {
  const stage = await bed.serving(FIRST);
  const { bridge, command, holding } = stage.actor();
  await bridge.patch({ image: SECOND });
  const second = await holding(SECOND);
  await command({ action: "promote", revision: second, full: true });
  await bridge.promoted(SECOND);
  await settled(stage, second);
  await stage.kill();
  return stage;
}

describe("scenario 6: a new process that is first shown an old list", () => {
  it("deletes, scales and moves nothing by it", async () => {
    const stage = await leftOnSecond();
    const { bridge } = stage.actor();
    const before = stage.writes().length;
    stage.proxy.when(firstLooks(), replayed());
    // What has happened since the old list is not told either.
    const ice = stage.proxy.freeze(({ verb }) => verb === "watch");
    const operator = await stage.start();
    // It has looked at the bridge, as it does before its first decision on it.
    await until("a look at the bridge", () =>
      stage.proxy.requests
        .slice(-50)
        .some((request) => request.verb === "watch" && request.resource === "pods" && !asksForState(request)),
    );
    // By the proxy alone.
    const shown = stage.proxy.requests.filter(
      ({ code, serverCode }) => code === 200 && serverCode === undefined,
    );
    expect(shown.map(({ resource }) => resource)).toEqual(
      expect.arrayContaining(["llmbridges", "deployments", "services", "pods"]),
    );
    // Its look has come to an end, and nothing is left that it would begin by itself.
    await until("the end of the look", async () => {
      const { ended, underWay } = await looks(operator);
      return ended > 0 && underWay === 0;
    });
    expect(stage.writes().slice(before)).toEqual([]);
    ice.thaw();
    await bridge.patch({ alerts: [] });
    const { status, toChildren } = await seen(stage, before);
    expect(status.stable?.image).toBe(SECOND);
    expect(toChildren).toEqual([]);
    await stage.close();
  });

  it("of bridges alone, on a watch that hangs for ever, waits until it has read them anew, and not for long", async () => {
    const stage = await leftOnSecond();
    const { bridge } = stage.actor();
    await bridge.patch({ alerts: [] });
    const before = stage.writes().length;
    const looksAtBridges = firstLooks();
    stage.proxy.when((request) => request.resource === "llmbridges" && looksAtBridges(request), replayed());
    const ice = stage.proxy.freeze(({ verb, resource }) => verb === "watch" && resource === "llmbridges");
    await stage.start();
    // Far less than a watch takes to be given up for its silence; by the old bridge, all pods of what serves would be taken away.
    const { status, toChildren } = await seen(stage, before);
    expect(status.stable?.image).toBe(SECOND);
    expect(toChildren).toEqual([]);
    ice.thaw();
    await stage.close();
  });
});

describe("scenario 10: a spec that is changed and changed back before it is seen", () => {
  it("makes nothing of the spec between, and still says that it has seen the last", async () => {
    const stage = await bed.serving(FIRST);
    const { bridge } = stage.actor();
    const before = stage.writes().length;
    const ice = stage.proxy.freeze(({ verb, resource }) => verb === "watch" && resource === "llmbridges");
    await bridge.patch({ image: SECOND });
    await bridge.patch({ image: FIRST });
    // By version: a report of the operator may wait there too.
    const last = (await bridge.get())?.metadata.resourceVersion ?? "";
    await until("both at the proxy", () => ice.holds(last));
    ice.thaw("Coalesced");
    const { generation, status, toChildren } = await seen(stage, before);
    expect(conditionOf(status, "Ready")?.observedGeneration).toBe(generation);
    expect(toChildren).toEqual([]);
    await stage.close();
  });
});

describe("scenario 24: another version in the middle of a canary", () => {
  it("begins anew with its own canary, and taken back to the stable version ends at once without a failure", async () => {
    const stage = await bed.serving(FIRST);
    const { bridge, holding } = stage.actor();
    await bridge.patch({ image: SECOND });
    const second = await holding(SECOND);
    await bridge.patch({ image: THIRD });
    const third = await holding(THIRD);
    expect(third).not.toBe(second);
    const { rollout } = await bridge.status();
    expect([rollout?.stepName, rollout?.canaryRevision]).toEqual(["half", third]);
    await atZero(stage, second);
    await bridge.patch({ image: FIRST });
    const back = await bridge.promoted(FIRST);
    expect(back.rollout?.failed).toBeUndefined();
    expect(creations(stage)).toHaveLength(3);
    await stage.close();
  });

  it("given together with an order to abort the old one, is tried, and the old one is not", async () => {
    const stage = await bed.serving(FIRST);
    const { bridge, command, holding } = stage.actor();
    await bridge.patch({ image: SECOND });
    const revision = await holding(SECOND);
    await bridge.patch({ image: THIRD });
    await command({ action: "abort", revision });
    const third = await holding(THIRD);
    expect(third).not.toBe(revision);
    await stage.close();
  });
});

describe("scenario 32: an orderly end in the middle of a write", () => {
  it("finishes the write, gives up the lease, ends without an error, and the next one goes on", async () => {
    const stage = await bed.stage({ leaderElection: true });
    const { bridge } = stage.actor();
    let held: ProxiedRequest | undefined;
    stage.proxy.when(
      (request) => {
        const isTheOne = isOwnWrite(request) && request.resource === "deployments";
        if (isTheOne) held = request;
        return isTheOne;
      },
      delayed(1_000),
      { times: 1 },
    );
    await bridge.apply(storySpec(FIRST));
    await until("a write on its way", () => held);
    const ended = await stage.end();
    expect(ended).toBe(0);
    expect(held?.carriedOut).toBe(true);
    const [lease] = await stage.list<KubeObject & { spec: { holderIdentity?: string } }>(resources.leases);
    expect(lease?.spec.holderIdentity ?? "").toBe("");
    await stage.start();
    await bridge.promoted(FIRST);
    expect(creations(stage)).toHaveLength(1);
    await stage.close();
  });
});
