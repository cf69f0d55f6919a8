import { describe, expect, it } from "vitest";
import type { LLMBridgeSpecInput } from "../api/v1alpha1/spec.ts";
import { TEMPLATE_KEY } from "./desired/configmaps.ts";
import { BASE, DECIDES_ONLY, MUTATIONS, specWith } from "./testing/fields.ts";
import { mutated, wrongs } from "./testing/mutations.ts";
import { World } from "./testing/world.ts";

/**
 * Every field of the schema is changed on a bridge that serves and changed back (Acto, SOSP 2023): what reaches the pods makes a
 * revision, what does not makes none, what is refused changes nothing, and whatever way led to a spec, the same runs.
 */
function serving(spec: LLMBridgeSpecInput): World {
  const world = new World(spec);
  world.run("10s");
  return world;
}

const condition = (world: World, type: string) => world.status.conditions.find((one) => one.type === type);
const stable = (world: World) => world.status.rollout?.stableRevision;

/** All that runs for the stable version, without what tells the way that led there. */
function runs(world: World): unknown {
  const revision = stable(world) ?? "";
  const children = [...world.children.values()]
    .filter(
      ({ object }) =>
        object.metadata.name.includes(revision) ||
        !/-[0-9a-f]{10}(-runtime|-config-\d+)?$/.test(object.metadata.name),
    )
    .map(({ object }) => withoutIdentity(object));
  const deployment = world.deployments.get(`chat-${revision}`);
  return { children: children.sort(byName), deployment: deployment && withoutIdentity(deployment) };
}

function withoutIdentity(object: { metadata: { name: string } }): { name: string; text: string } {
  const text = JSON.stringify({
    ...object,
    metadata: {
      ...object.metadata,
      uid: undefined,
      resourceVersion: undefined,
      creationTimestamp: undefined,
    },
  });
  const same = text
    .replaceAll(/\\?"generation\\?":\d+/g, '"generation":N')
    // Each making of a copy has a name of its own.
    .replaceAll(/(-secret-\d+)-[0-9a-z]+/g, "$1");
  return { name: object.metadata.name, text: same };
}

const byName = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : 1);
const template = (world: World): unknown => {
  const map = world.children.get(`configmaps/chat-${stable(world)}`)?.object as {
    data?: Record<string, string>;
  };
  return map.data?.[TEMPLATE_KEY];
};

const isAccepted = (spec: LLMBridgeSpecInput) => condition(serving(spec), "Accepted")?.status === "True";
const { accepted = [], refused = [] } = Object.groupBy(MUTATIONS, (one) =>
  isAccepted(specWith(one)) ? "accepted" : "refused",
);

/** Long enough for two steps with their evidence. */
function settle(world: World): void {
  for (let i = 0; i < 30 && (i === 0 || world.status.phase !== "Stable"); i++) world.run("10s");
}

describe("another value of one field", () => {
  it("was tried of every field", () => {
    expect(MUTATIONS.length).toBeGreaterThan(95);
    expect(refused.map(({ path }) => path)).toEqual([]);
  });

  it.each(accepted.filter(({ path }) => DECIDES_ONLY.test(path)))("makes no revision: $path", (mutation) => {
    const world = serving(BASE);
    const [before, revision] = [template(world), stable(world)];
    world.edit(() => specWith(mutation));
    world.run("30s");
    expect([stable(world), template(world)]).toEqual([revision, before]);
    expect(world.deployments.size).toBe(1);
    expect(world.status.observedGeneration).toBe(2);
    world.edit(() => BASE);
    world.run("30s");
    expect([stable(world), template(world)]).toEqual([revision, before]);
  });

  it.each(accepted.filter(({ path }) => !DECIDES_ONLY.test(path)))(
    "is run by a revision of its own, the same whatever way led to it, and back: $path",
    (mutation) => {
      const world = serving(BASE);
      const [before, revision] = [runs(world), stable(world)];
      world.edit(() => specWith(mutation));
      settle(world);
      expect(stable(world)).not.toBe(revision);
      expect(runs(world)).toEqual(runs(serving(specWith(mutation))));
      world.edit(() => BASE);
      settle(world);
      expect(stable(world)).toBe(revision);
      expect(runs(world)).toEqual(before);
    },
  );
});

describe("a wrong value of one field", () => {
  it.each(wrongs())(
    "is refused with its place, changes nothing that runs, and is forgotten when it is mended: $path",
    (mutation) => {
      const world = serving(BASE);
      const [before, writes] = [runs(world), world.writes.length];
      world.edit(() => mutated(BASE, mutation));
      world.run("30s");
      const place = mutation.path.replaceAll("[]", "[0]");
      expect(condition(world, "Accepted")).toMatchObject({
        status: "False",
        message: expect.stringContaining(`spec.${place}`),
      });
      expect(condition(world, "Ready")?.status).toBe("True");
      expect([runs(world), world.writes.length]).toEqual([before, writes]);
      world.edit(() => BASE);
      world.run("10s");
      expect(condition(world, "Accepted")?.status).toBe("True");
      expect([runs(world), world.writes.length]).toEqual([before, writes]);
    },
  );
});
