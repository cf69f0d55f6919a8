import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { customResourceDefinition } from "../../operator/api/crd.ts";
import { LLMBRIDGES } from "../../operator/bridges/caches.ts";
import type { KubeObject } from "../../operator/kube/object.ts";
import { resources } from "../../operator/kube/resources.ts";
import { VERSION } from "../../operator/version.ts";
import type { Crd } from "../conformance/bridge-api.ts";
import { until } from "../kube/until.ts";
import { conditionOf } from "../scene/api.ts";
import { type Bed, openBed, type Stage } from "./bed.ts";
import { nextCrd, replaceCrd } from "./next-crd.ts";
import { type Actor, bridgeImage, storySpec } from "./story.ts";

/** What an upgrade must leave alone, of the CRD and of the operator: no child is written, nothing is made twice, rollouts go on. */

const [FIRST, SECOND] = [bridgeImage(1), bridgeImage(2)];
const VERSIONS = { This: VERSION, Next: "0.2.0" } as const;
const KINDS = [
  resources.deployments,
  resources.configMaps,
  resources.services,
  resources.serviceAccounts,
  resources.podDisruptionBudgets,
  resources.networkPolicies,
  resources.pods,
];

let bed: Bed;
beforeAll(async () => {
  // The definition is another version's in most tests.
  bed = await openBed({ isOwn: true });
});
afterAll(async () => bed?.down());

/** Every child and pod with all that a write would change of it. */
async function children(stage: Stage): Promise<Record<string, string>> {
  const lists = await Promise.all(KINDS.map((kind) => stage.list(kind)));
  return Object.fromEntries(
    lists.flatMap((list, index) =>
      list.map(({ metadata: { name, uid, generation, resourceVersion } }) => [
        `${KINDS[index]?.plural}/${name}`,
        `${uid} generation ${generation} version ${resourceVersion}`,
      ]),
    ),
  );
}

/** The children once the controllers of Deployments have said all that they have to say of them. */
async function settled(stage: Stage): Promise<Record<string, string>> {
  let last = await children(stage);
  await until("the children to be left alone for a second", async () => {
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    const before = last;
    last = await children(stage);
    return JSON.stringify(before) === JSON.stringify(last);
  });
  return last;
}

interface Deployment extends KubeObject {
  readonly spec: { readonly template: unknown };
}
const templates = async (stage: Stage): Promise<Record<string, unknown>> =>
  Object.fromEntries(
    (await stage.list<Deployment>(resources.deployments)).map(({ metadata, spec }) => [
      `${metadata.name} ${metadata.uid}`,
      spec.template,
    ]),
  );

/** An edit that makes no revision, and the status once the operator has seen it. */
async function edited({ bridge }: Actor, spec: Readonly<Record<string, unknown>>) {
  await bridge.patch(spec);
  const generation = (await bridge.get())?.metadata.generation ?? 0;
  return bridge.waitFor("seen", ({ observedGeneration = 0 }) => observedGeneration >= generation);
}

/** What was written to children from that write on: "patch deployments chat-1a2b", in order. */
const toChildren = (stage: Stage, from = 0): string[] =>
  stage
    .writes()
    .slice(from)
    .filter(({ resource, carriedOut }) => carriedOut && resource !== "llmbridges/status")
    .map(({ verb, resource, name }) => `${verb} ${resource} ${name}`);

/** Children that were made, each as often as it was. */
const made = (stage: Stage): string[] =>
  stage
    .writes()
    .filter(({ serverCode }) => serverCode === 201)
    .map(({ resource, name }) => `${resource}/${name}`);

/** A bridge at rest and one that holds its first step; nothing moves but by command. */
async function restingAndHolding(stage: Stage) {
  const [resting, moving] = [stage.actor("resting"), stage.actor("moving")];
  for (const { bridge } of [resting, moving]) await bridge.apply(storySpec(FIRST));
  await Promise.all([resting, moving].map(({ bridge }) => bridge.promoted(FIRST)));
  await moving.bridge.patch({ image: SECOND });
  return { resting, moving, revision: await moving.holding(SECOND) };
}

/** Replaces the CRD; the API server ends the watches of the schema that was, and the operator opens others. */
async function replaced(stage: Stage, crd: Crd): Promise<void> {
  const watches = () =>
    stage.proxy.requests.filter(({ verb, resource }) => verb === "watch" && resource === "llmbridges").length;
  const before = watches();
  await replaceCrd(bed.plane.api, crd);
  await until("another watch of bridges", () => watches() > before);
}

describe("scenario 30: a CRD that is replaced while bridges serve and one is in the middle of a rollout", () => {
  it("loses no object and touches no child, with new fields and without them again, and the rollout goes on", async () => {
    const stage = await bed.stage();
    const { resting, moving, revision } = await restingAndHolding(stage);
    const before = await settled(stage);
    const bridges = async () =>
      (await stage.list(LLMBRIDGES)).map(({ metadata }) => `${metadata.name} ${metadata.uid}`).sort();
    const [present, writes] = [await bridges(), stage.writes().length];
    for (const [crd, alerts] of [
      [nextCrd(), []],
      [customResourceDefinition(), null],
    ] as const) {
      await replaced(stage, crd);
      for (const actor of [resting, moving]) {
        const { phase, conditions, rollout } = await edited(actor, { alerts });
        expect(conditions.find(({ type }) => type === "Accepted")).toMatchObject({ status: "True" });
        expect(phase).toBe(actor === resting ? "Stable" : "Holding");
        expect(rollout?.canaryRevision).toBe(actor === resting ? undefined : revision);
      }
      expect(await bridges()).toEqual(present);
      expect(toChildren(stage, writes)).toEqual([]);
      expect(await settled(stage)).toEqual(before);
    }

    await moving.command({ action: "promote", revision, full: true });
    expect((await moving.bridge.promoted(SECOND)).stable?.revision).toBe(revision);
    expect(made(stage)).toEqual([...new Set(made(stage))]);
    await stage.close();
  });

  it("lets an operator that does not know a field pass over it, and say so, until the CRD is the old one again", async () => {
    const stage = await bed.serving(FIRST);
    const actor = stage.actor();
    await replaced(stage, nextCrd());
    const told = await edited(actor, { tomorrow: "rain" });
    expect(conditionOf(told, "Accepted")).toMatchObject({
      status: "True",
      message: expect.stringMatching(/until the operator is upgraded: spec\.(tomorrow|everAfter), spec\./),
    });
    await actor.bridge.patch({ image: SECOND });
    await actor.command({ action: "promote", revision: await actor.holding(SECOND), full: true });
    await actor.bridge.promoted(SECOND);

    const writes = stage.writes().length;
    await replaced(stage, customResourceDefinition());
    let edits = 0;
    // The first may still come by a watch of the schema that was.
    await until("the spec to be whole again", async () => {
      const status = await edited(actor, { alerts: edits++ % 2 === 0 ? [] : null });
      return conditionOf(status, "Accepted")?.message === "The spec is valid and permitted.";
    });
    expect((await actor.bridge.get()) as { spec?: unknown }).not.toHaveProperty("spec.tomorrow");
    expect(toChildren(stage, writes)).toEqual([]);
    await stage.close();
  });
});

/** Promotes the bridge that holds; all that was written to children for it, in whatever order. */
async function promotion(stage: Stage, { bridge, command }: Actor, revision: string): Promise<string[]> {
  const from = stage.writes().length;
  await command({ action: "promote", revision, full: true });
  expect((await bridge.promoted(SECOND)).stable?.revision).toBe(revision);
  await settled(stage);
  return toChildren(stage, from).sort();
}

describe("an operator that gives way to another version in the middle of a rollout", () => {
  let undisturbed: string[];
  beforeAll(async () => {
    const stage = await bed.stage();
    const { moving, revision } = await restingAndHolding(stage);
    undisturbed = await promotion(stage, moving, revision);
    await stage.close();
  });

  it.each([
    ["upgraded and taken back", "This", "Next", "FallbackToLogsOnError"],
    ["taken back and upgraded again", "Next", "This", "File"],
  ] as const)(
    "is %s: no child is written, and what was begun ends as if there had been one",
    async (_, one, other, policy) => {
      const stage = await bed.stage({ leaderElection: true, isEmpty: true });
      await stage.start({ version: one });
      const { resting, moving, revision } = await restingAndHolding(stage);
      const [before, rendered] = [await settled(stage), await templates(stage)];
      // The two versions do render differently.
      for (const template of Object.values(rendered))
        expect(JSON.stringify(template)).toContain(`"${policy}"`);
      const writes = stage.writes().length;

      for (const [version, alerts] of [
        [other, []],
        [one, null],
      ] as const) {
        expect(await stage.end()).toBe(0);
        const from = stage.proxy.requests.length;
        await stage.start({ version });
        for (const actor of [resting, moving]) {
          const { phase, rollout } = await edited(actor, { alerts });
          expect(phase).toBe(actor === resting ? "Stable" : "Holding");
          expect(rollout?.canaryRevision).toBe(actor === resting ? undefined : revision);
        }
        const agents = stage.proxy.requests.slice(from).map(({ userAgent }) => userAgent);
        expect([...new Set(agents)]).toEqual([`llmbridge-operator/${VERSIONS[version]}`]);
        expect(toChildren(stage, writes)).toEqual([]);
        expect(await settled(stage)).toEqual(before);
      }

      expect(await promotion(stage, moving, revision)).toEqual(undisturbed);
      expect(await templates(stage)).toEqual(rendered);
      expect(made(stage)).toEqual([...new Set(made(stage))]);
      await stage.close();
    },
  );
});
