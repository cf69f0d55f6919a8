import { describe, expect, it } from "vitest";
import { turnSince } from "./facts.ts";
import type { FleetRules, Freeze } from "./rules.ts";
import { byTurn, nextInTurn, whyNoPlace } from "./turn.ts";
import { ALONE, type FleetView, type Waiting } from "./view.ts";

const NOW = Date.parse("2026-01-10T12:00:00Z");
const minute = (m: number): string => new Date(NOW + m * 60_000).toISOString();
const waits = (name: string, since: number, heldFor = "FleetLimit"): Waiting => {
  const [namespace = "", bridge = ""] = name.split("/");
  return { namespace, name: bridge, since: minute(since), heldFor };
};
const rolls = (name: string) => {
  const [namespace = "", bridge = ""] = name.split("/");
  return { namespace, name: bridge };
};
const view = (
  rules: Partial<FleetRules>,
  rolling: string[],
  waiting: Waiting[],
  more: Partial<FleetView> = {},
): FleetView => ({
  ...ALONE,
  rules: { freezes: [], ...rules },
  rolling: rolling.map(rolls),
  waiting: waiting.toSorted(byTurn),
  ...more,
});
const why = (fleet: FleetView, name: string, since = 0) => whyNoPlace(fleet, waits(name, since), NOW);

describe("a place", () => {
  it("is there for all where the administrator sets no limit", () => {
    expect(why(view({}, ["a/x", "a/y"], [waits("a/z", -5)]), "a/b")).toBeUndefined();
  });

  it("is waited for while as many roll as may", () => {
    expect(why(view({ maxRollouts: 2 }, ["a/x", "b/y"], []), "c/z")).toBe(
      "The administrator allows 2 rollouts at once (fleet.maxRollouts); it is the next to start.",
    );
    expect(why(view({ maxRollouts: 2 }, ["a/x"], []), "c/z")).toBeUndefined();
  });

  it("of its own is nobody else's", () => {
    expect(why(view({ maxRollouts: 1 }, ["a/x"], []), "a/x")).toBeUndefined();
  });

  it("goes to who waits for longest, and to names in order where two wait alike", () => {
    const fleet = view(
      { maxRollouts: 1 },
      [],
      [waits("b/late", -1), waits("a/early", -9), waits("a/also", -9)],
    );
    expect(nextInTurn(fleet, NOW).map(({ name }) => name)).toEqual(["also"]);
    expect(why(fleet, "a/also", -9)).toBeUndefined();
    expect(why(fleet, "a/early", -9)).toContain("its turn is after a/also.");
    expect(why(fleet, "b/late", -1)).toContain("its turn is after a/early.");
    expect(why(fleet, "c/new", 0)).toContain("its turn is after b/late.");
  });

  it("in a full namespace keeps nobody elsewhere waiting", () => {
    const fleet = view(
      { maxRollouts: 3, maxRolloutsPerNamespace: 1 },
      ["a/x"],
      [waits("a/y", -9), waits("b/z", -1), waits("a/w", -5)],
    );
    expect(why(fleet, "a/w", -5)).toBe(
      "The administrator allows 1 rollout at once in this namespace (fleet.maxRolloutsPerNamespace); its turn is after a/y.",
    );
    expect(nextInTurn(fleet, NOW)).toEqual([waits("b/z", -1)]);
    expect(why(fleet, "b/z", -1)).toBeUndefined();
  });

  it("is not kept for one that something else holds", () => {
    const held = ["Paused", "FleetOrder", undefined].map((heldFor, i) => ({
      ...waits(`a/h${i}`, -9),
      heldFor,
    }));
    expect(why(view({ maxRollouts: 1 }, [], held), "c/z")).toBeUndefined();
  });

  it("is kept for one whose freeze has ended, whether it has been looked at since or not", () => {
    const freeze: Freeze = {
      ...{ name: "f", promote: "Refuse", namespaces: ["a"] },
      ...{ from: minute(-60), to: minute(5) },
    };
    const fleet = view({ maxRollouts: 1, freezes: [freeze] }, [], [waits("a/first", -50, "FleetFreeze")]);
    const second = waits("b/second", -1);
    expect(whyNoPlace(fleet, second, NOW)).toBeUndefined();
    expect(whyNoPlace(fleet, second, NOW + 5 * 60_000)).toContain("its turn is after a/first");
  });

  it("is given to nobody before every bridge was looked at", () => {
    const fleet = view({ maxRollouts: 5 }, [], [waits("a/x", -1)], { complete: false });
    expect(why(fleet, "a/x", -1)).toContain("has just started");
    expect(nextInTurn(fleet, NOW)).toEqual([]);
    expect(why(view({}, [], [], { complete: false }), "a/x")).toBeUndefined();
  });

  it("never goes to more than the limits, whoever asks first", () => {
    for (const max of [1, 2, 3, 7]) {
      const waiting = Array.from({ length: 12 }, (_, i) => waits(`${"abc"[i % 3]}/n${i}`, -((i * 7) % 11)));
      const fleet = view({ maxRollouts: max, maxRolloutsPerNamespace: 2 }, [], waiting);
      const started = waiting.filter((one) => whyNoPlace(fleet, one, NOW) === undefined);
      expect(started.toSorted(byTurn)).toEqual(nextInTurn(fleet, NOW));
      expect(started).toHaveLength(Math.min(max, 6));
    }
  });
});

describe("the time of a turn", () => {
  it("never lies ahead, or a clock that was put back would cost the turn", () => {
    expect(turnSince(minute(-3), NOW)).toBe(minute(-3));
    expect(turnSince(minute(600_000), NOW)).toBe(minute(0));
    expect(turnSince(undefined, NOW)).toBe(minute(0));
  });
});
