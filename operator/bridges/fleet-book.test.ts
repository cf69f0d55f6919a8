import { describe, expect, it } from "vitest";
import type { LLMBridgeSpecInput } from "../api/v1alpha1/spec.ts";
import type { Freeze } from "../rollout/fleet/rules.ts";
import { Fleet } from "./testing/fleet.ts";
import type { World } from "./testing/world.ts";

/** Many bridges in virtual time, decided by the operator's own code. */

const spec = (after?: string[]): LLMBridgeSpecInput => ({
  image: "registry.example/bridge:1",
  upstreams: [{ name: "a", protocol: "OpenAI", url: "http://a/v1" }],
  scaling: { mode: "Fixed" },
  rollout: {
    steps: [
      { name: "half", weight: 50, hold: "5s" },
      { name: "all", weight: 100, hold: "5s" },
    ],
    analysis: { interval: "5s", errors: { rollbackAbove: "1%", promoteBelow: "3%" } },
    watchAfter: "0s",
    ...(after ? { after } : {}),
  },
});

const nextImage = (world: World, tag = "2") =>
  world.edit((before) => ({ ...before, image: `registry.example/bridge:${tag}` }));

/** Bridges that serve their first version. */
function serving(fleet: Fleet, names: readonly string[], namespace = "ai"): World[] {
  const worlds = names.map((name) => fleet.add(name, spec(), namespace));
  fleet.run(12);
  for (const { status } of worlds) expect(status.phase).toBe("Stable");
  return worlds;
}

const hold = (world: World) => world.status.conditions.find(({ type }) => type === "Progressing")?.reason;

describe("a fleet with a limit", () => {
  it("starts all first versions at once", () => {
    const fleet = new Fleet({ maxRollouts: 1 });
    const worlds = serving(fleet, ["a", "b", "c", "d"]);
    expect(worlds.map(({ status }) => status.rollout?.queued)).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
  });

  it("never rolls more than it may, and all in the order in which they asked", () => {
    const fleet = new Fleet({ maxRollouts: 2 });
    const worlds = serving(fleet, ["e", "d", "c", "b", "a"]);
    for (const world of worlds) {
      nextImage(world);
      fleet.decide(world);
      fleet.nowMs += 1000;
    }
    fleet.run(300, () => expect(fleet.rolling().length).toBeLessThanOrEqual(2));
    expect(fleet.started).toEqual(["e", "d", "c", "b", "a"]);
    for (const { status } of worlds) expect(status.stable?.image).toBe("registry.example/bridge:2");
  });

  it("gives one place to one of two that are looked at in the same moment", () => {
    const fleet = new Fleet({ maxRollouts: 1 });
    const [a, b] = serving(fleet, ["a", "b"]) as [World, World];
    nextImage(a);
    nextImage(b);
    fleet.decide(b);
    fleet.decide(a);
    expect(fleet.rolling()).toEqual(["b"]);
    expect(a.status.summary).toContain("(fleet.maxRollouts); it is the next to start.");
  });

  it("frees a place when that is stored, and looks at the next at once", () => {
    const fleet = new Fleet({ maxRollouts: 1 });
    const [a, b] = serving(fleet, ["a", "b"]) as [World, World];
    nextImage(a);
    fleet.decide(a);
    fleet.show(a);
    nextImage(b);
    fleet.decide(b);
    fleet.show(b);
    a.edit(() => spec());
    while (fleet.rolling().length > 0) fleet.decide(a);
    fleet.decide(b);
    expect(fleet.rolling()).toEqual([]);
    fleet.told.length = 0;
    fleet.show(a);
    expect(fleet.told).toEqual(["b"]);
    fleet.decide(b);
    expect(fleet.rolling()).toEqual(["b"]);
  });

  it("waits for nobody who cannot be written, and forgets who is deleted", () => {
    const fleet = new Fleet({ maxRollouts: 1 });
    const [a, b, c] = serving(fleet, ["a", "b", "c"]) as [World, World, World];
    for (const world of [a, b, c]) nextImage(world);
    fleet.refuse(a);
    fleet.decide(b);
    expect(fleet.rolling()).toEqual(["b"]);
    fleet.show(b);
    fleet.remove(b);
    fleet.decide(c);
    expect(fleet.rolling()).toEqual(["c"]);
  });

  it.each([
    ["deleted", (fleet: Fleet, world: World) => fleet.remove(world)],
    ["marked as being deleted", (fleet: Fleet, world: World) => fleet.terminate(world)],
  ])("gives the place of one that is %s to the next, also in the middle of a look at it", (_, end) => {
    for (const isLookedAt of [true, false]) {
      const fleet = new Fleet({ maxRollouts: 1 });
      const [a, b] = serving(fleet, ["a", "b"]) as [World, World];
      for (const world of [a, b]) {
        nextImage(world);
        fleet.decide(world);
        fleet.show(world);
      }
      fleet.told.length = 0;
      if (isLookedAt) fleet.decide(a, () => end(fleet, a));
      else end(fleet, a);
      expect(fleet.told).toContain("b");
      fleet.decide(b);
      expect(fleet.rolling()).toEqual(["b"]);
    }
  });

  it.each([
    ["before", (fleet: Fleet, end: () => void) => [end(), fleet.restart()]],
    ["after", (fleet: Fleet, end: () => void) => [fleet.restart(), end()]],
  ])("looks at none after a restart that was marked as being deleted %s it", (_, restart) => {
    const fleet = new Fleet({ maxRollouts: 1 });
    const [a, b] = serving(fleet, ["a", "b"]) as [World, World];
    restart(fleet, () => fleet.terminate(a));
    nextImage(b);
    fleet.decide(b);
    expect(fleet.rolling()).toEqual(["b"]);
  });

  it("keeps the order over a restart, and starts nothing before it has looked at all", () => {
    const fleet = new Fleet({ maxRollouts: 1 });
    const [a, b, c] = serving(fleet, ["a", "b", "c"]) as [World, World, World];
    for (const world of [b, c, a]) {
      nextImage(world);
      fleet.decide(world);
      fleet.nowMs += 1000;
    }
    // The last that the old process wrote, the start of b, is not in the cache of the new one.
    fleet.show(c);
    fleet.show(a);
    fleet.restart();
    for (const world of [a, c]) fleet.decide(world);
    expect(fleet.rolling()).toEqual(["b"]);
    expect(a.status.summary).toContain("has just started");
    fleet.show(b);
    fleet.run(200, () => expect(fleet.rolling().length).toBeLessThanOrEqual(1));
    expect(fleet.started).toEqual(["b", "c", "a"]);
  });

  it("holds to the limit of each namespace, with nobody in the way elsewhere", () => {
    const fleet = new Fleet({ maxRollouts: 3, maxRolloutsPerNamespace: 1 });
    const worlds = [...serving(fleet, ["a", "b"]), ...serving(fleet, ["c"], "shop")];
    for (const world of worlds) {
      nextImage(world);
      fleet.decide(world);
    }
    expect(fleet.rolling()).toEqual(["a", "c"]);
    expect(worlds[1]?.status.summary).toContain("in this namespace (fleet.maxRolloutsPerNamespace)");
  });

  it("never makes a rollback wait, which keeps its place until it has ended", () => {
    const fleet = new Fleet({ maxRollouts: 1 });
    const [a, b] = serving(fleet, ["a", "b"]) as [World, World];
    a.behaviours["registry.example/bridge:2"] = { errorShare: 0.5 };
    nextImage(a);
    fleet.decide(a);
    nextImage(b);
    fleet.run(120, () => expect(fleet.rolling().length).toBeLessThanOrEqual(1));
    expect(a.status.phase).toBe("Aborted");
    expect(b.status.stable?.image).toBe("registry.example/bridge:2");
  });
});

describe("a fleet in a freeze", () => {
  const freeze = (from: string, to: string): Freeze => ({
    ...{ name: "night", namespaces: ["ai"], promote: "Refuse", from, to },
  });

  it("holds all until its end, wherever the clock jumps to meanwhile", () => {
    const fleet = new Fleet({ freezes: [freeze("2026-01-01T00:01:00Z", "2026-01-01T06:00:00Z")] });
    const [a] = serving(fleet, ["a"]) as [World];
    const [free] = serving(fleet, ["b"], "shop") as [World];
    fleet.nowMs = Date.parse("2026-01-01T00:02:00Z");
    nextImage(a);
    nextImage(free);
    fleet.run(60);
    expect(hold(a)).toBe("FleetFreeze");
    expect(a.status.summary).toContain(
      'Freeze "night" of the administrator holds rollouts until 2026-01-01T06:00:00Z.',
    );
    expect(free.status.stable?.image).toBe("registry.example/bridge:2");
    // The clock is set a year ahead, where nothing is frozen, and back: what has started by then holds where it is.
    fleet.nowMs = Date.parse("2027-01-01T00:00:00Z");
    fleet.run(4);
    expect(a.status.phase).toBe("Preparing");
    fleet.nowMs = Date.parse("2026-01-01T00:05:00Z");
    fleet.run(60);
    expect(a.status.phase).toBe("Preparing");
    expect(hold(a)).toBe("FleetFreeze");
    fleet.nowMs = Date.parse("2026-01-01T06:00:00Z");
    fleet.run(60);
    expect(a.status.stable?.image).toBe("registry.example/bridge:2");
  });

  it("that ends lets them go in the order in which they asked, as many as may", () => {
    const fleet = new Fleet({
      ...{ maxRollouts: 1, freezes: [freeze("2026-01-01T00:01:00Z", "2026-01-01T06:00:00Z")] },
    });
    const [a, b, c] = serving(fleet, ["a", "b", "c"]) as [World, World, World];
    fleet.nowMs = Date.parse("2026-01-01T00:02:00Z");
    for (const world of [c, a, b]) {
      nextImage(world);
      fleet.decide(world);
      fleet.nowMs += 1000;
    }
    fleet.run(4);
    fleet.nowMs = Date.parse("2026-01-01T06:00:00Z");
    fleet.run(300, () => expect(fleet.rolling().length).toBeLessThanOrEqual(1));
    expect(fleet.started).toEqual(["c", "a", "b"]);
  });

  it("of which the settings know no more lets them go", () => {
    const fleet = new Fleet({ freezes: [freeze("2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z")] });
    const [a] = serving(fleet, ["a"]) as [World];
    nextImage(a);
    fleet.run(10);
    expect(fleet.started).toEqual([]);
    fleet.rules = { freezes: [] };
    fleet.run(4);
    expect(fleet.started).toEqual(["a"]);
  });
});

describe("bridges in an order", () => {
  it("roll one after the other, also where both change in the same moment", () => {
    const fleet = new Fleet({});
    const first = fleet.add("search", spec());
    const second = fleet.add("chat", spec(["search"]));
    fleet.run(12);
    nextImage(second);
    nextImage(first);
    for (const world of [first, second]) fleet.show(world);
    fleet.told.length = 0;
    // The second is looked at first: nothing of the first has been decided, but its spec is another one.
    fleet.decide(second);
    expect(second.status.summary).toContain(
      'It starts after LLMBridge "search" (spec.rollout.after), whose spec',
    );
    fleet.show(second);
    fleet.decide(first);
    fleet.show(first);
    expect(new Set(fleet.told)).toEqual(new Set(["chat"]));
    fleet.run(200, () => expect(fleet.rolling().length).toBeLessThanOrEqual(1));
    expect(fleet.started).toEqual(["search", "chat"]);
    expect(second.status.stable?.image).toBe("registry.example/bridge:2");
  });

  it("wait for one that was rolled back, until it is corrected", () => {
    const fleet = new Fleet({});
    const first = fleet.add("search", spec());
    const second = fleet.add("chat", spec(["search"]));
    fleet.run(12);
    first.behaviours["registry.example/bridge:2"] = { crash: true };
    nextImage(first);
    nextImage(second);
    fleet.run(60);
    expect(first.status.phase).toBe("Aborted");
    expect(second.status.summary).toContain("which does not go on");
    first.edit(() => spec());
    fleet.run(60);
    expect(second.status.stable?.image).toBe("registry.example/bridge:2");
  });

  it("in a circle do not wait for ever, and say so", () => {
    const fleet = new Fleet({});
    const a = fleet.add("a", spec(["b"]));
    const b = fleet.add("b", spec(["a"]));
    fleet.run(12);
    nextImage(a);
    nextImage(b);
    fleet.run(120);
    for (const { status } of [a, b]) expect(status.stable?.image).toBe("registry.example/bridge:2");
    expect(a.status.conditions.find(({ type }) => type === "Accepted")).toMatchObject({
      status: "True",
      message: expect.stringContaining("spec.rollout.after makes a circle (a after b after a)"),
    });
  });

  it("hold for a name that nobody has", () => {
    const fleet = new Fleet({});
    const chat = fleet.add("chat", spec(["serach"]));
    fleet.run(12);
    expect(chat.status.phase).toBe("Stable");
    nextImage(chat);
    fleet.run(10);
    expect(hold(chat)).toBe("FleetOrder");
    fleet.add("serach", spec());
    fleet.run(60);
    expect(chat.status.stable?.image).toBe("registry.example/bridge:2");
  });
});
