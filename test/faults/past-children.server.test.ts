import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { until } from "../kube/until.ts";
import { type Bed, openBed, type Stage } from "./bed.ts";
import { differences, type Outcome, outcomeOf } from "./outcome.ts";
import { firstLooks, type KubeRequest } from "./request.ts";
import { quiet, seen, settled } from "./settled.ts";
import { bridgeImage, storySpec } from "./story.ts";
import { replayed } from "./strike.ts";

/**
 * Scenario 6 the other way round: what a new process is shown of the bridge is true, and what it is shown of children and pods is from the past. Each
 * write is bound to what is there of its own object; of another one, on which it was decided too, it knows nothing.
 */

const [FIRST, SECOND] = [bridgeImage(1), bridgeImage(2)];
const CHILDREN = ["configmaps", "services", "deployments", "pods"];

let bed: Bed;
let reference: Outcome;
beforeAll(async () => {
  bed = await openBed();
  const stage = await midCanary();
  await promote(stage);
  reference = await outcome(stage);
  await stage.close();
}, 120_000);
afterAll(async () => bed?.down());

const outcome = ({ namespace, proxy }: Stage) => outcomeOf(bed.plane.client, namespace, proxy.requests);

/** Half of the traffic goes to the second version. */
async function midCanary(): Promise<Stage> {
  const stage = await bed.stage();
  const { bridge, holding } = stage.actor("told");
  await bridge.apply(storySpec(FIRST));
  await bridge.promoted(FIRST);
  await bridge.patch({ image: SECOND });
  await holding(SECOND);
  await quiet(stage, "told");
  return stage;
}

async function promote(stage: Stage): Promise<void> {
  const { bridge, command } = stage.actor("told");
  const revision = (await bridge.status()).canary?.revision ?? "";
  await command({ action: "promote", revision, full: true });
  await bridge.promoted(SECOND);
  await settled(stage, revision, "told");
}

describe("scenario 6: a new process in the middle of a canary that is shown the bridge as it is, and an old list", () => {
  it.each<readonly [string, readonly string[]]>([
    ["of everything that belongs to it", CHILDREN],
    ...CHILDREN.map((one) => [`of ${one} alone`, [one]] as const),
  ])("%s, writes nothing that contradicts what is there, and comes to the same end", async (_, old) => {
    const stage = await midCanary();
    const { bridge } = stage.actor("told");
    await stage.kill();
    const [before, from] = [await stage.children("told"), stage.writes().length];
    const isOld = ({ resource }: KubeRequest) => old.includes(resource);
    const isFirst = firstLooks();
    // From when there was no bridge yet: the first list that each got.
    const lies = stage.proxy.when((request) => isOld(request) && isFirst(request), replayed());
    const ice = stage.proxy.freeze((request) => request.verb === "watch" && isOld(request));
    await stage.start();
    await bridge.patch({ alerts: [] });
    const { status } = await seen(stage, from, "told");
    expect(lies.struck).toBe(old.length);
    expect([status.phase, status.canary?.image, status.canary?.ready]).toEqual(["Holding", SECOND, 2]);
    const changes = stage
      .writes()
      .slice(from)
      .filter(({ carriedOut, isIdle }) => carriedOut && !isIdle);
    expect(changes.filter(({ resource }) => resource !== "llmbridges/status")).toEqual([]);
    expect(differences(before, await stage.children("told"))).toEqual([]);
    ice.thaw();
    await promote(stage);
    let different: string[] = [];
    await until("the end of the reference", async () => {
      different = differences(reference, await outcome(stage));
      return different.length === 0;
    }).catch(() => expect(different).toEqual([]));
    await stage.close();
  });
});
