import { describe, expect, it } from "vitest";
import { occupied } from "./look.ts";
import { contextAt, minutes } from "./model/moment.ts";
import { step } from "./model/world.ts";

const fresh = { baseline: "SameAge" };

describe("contextOf", () => {
  it("counts no more ready pods than a Deployment asks for", () => {
    const readyOf = (wanted: number) => contextAt({}, { pods: { b: { wanted, ready: 3 } } }).canary.ready;
    expect([2, 3, 4].map(readyOf)).toEqual([2, 3, 3]);
  });

  it("knows no pods of a version that is none", () => {
    const context = contextAt({ canaryRevision: undefined });
    expect(context.canary).toMatchObject({ exists: false, wantedReplicas: 0, pods: 0, ready: 0 });
  });

  it.each([
    ["one beside a stable version", {}, "a-baseline"],
    ["none of a version alone", { canaryRevision: undefined }, undefined],
    ["none of a first version", { stableRevision: undefined }, undefined],
  ])("names a baseline: %s", (_, state, name) => {
    expect(contextAt(state).baselineRevision).toBe(name);
  });

  it("leaves what older versions hold out of the room", () => {
    const pods = { c: { ready: 1, unready: 1, terminating: 2 }, "a-baseline": 3 };
    expect(contextAt({}, { pods, maxPods: 20 }).room).toBe(16);
  });

  it.each([
    [{ wanted: 3, ready: 1 }, 3],
    [{ wanted: 1, ready: 1, unready: 2 }, 3],
    [{ wanted: 1, ready: 1, terminating: 2 }, 3],
  ])("counts pods that hold something: %j", (pods, held) => {
    expect(occupied(contextAt({}, { pods: { b: pods } }).canary)).toBe(held);
  });

  const first = (weight: number, more: object = {}) => ({
    steps: [step("half", weight, more), step("all", 100)],
  });
  it.each([
    ["its share", first(50), 4, 4, 4, 0],
    ["one at least to be looked at", first(0), 4, 4, 1, 0],
    ["as many as are said", first(25, { replicas: 3 }), 4, 4, 3, 0],
    ["as many as its share needs, whatever is said", first(50, { replicas: 1 }), 4, 4, 4, 0],
    ["as many as the stable version in a preview", { strategy: "BlueGreen" }, 4, 4, 4, 0],
    ["none where none are needed", first(0, { replicas: 3 }), 0, 0, 0, 0],
  ] as const)("wants pods of a canary: %s", (_, plan, needed, stable, canary, baseline) => {
    expect(contextAt({}, { plan, needed }).target).toMatchObject({ stable, canary, baseline });
  });

  it.each([
    ["as old as the canary without traffic", first(0, { replicas: 2 }), 2],
    ["that share with the stable version", first(50), 2],
  ])("wants pods of a baseline %s", (_, plan, baseline) => {
    const state = { baseline: "SameAge" as const };
    expect(contextAt(state, { plan: { ...plan, ...fresh } }).target.baseline).toBe(baseline);
    expect(contextAt({}, { plan: { ...plan, ...fresh } }).target.baseline).toBe(0);
  });

  it("stays at the step of the time when the spec was good", () => {
    const at = (state: object, accepted = false) =>
      contextAt({ weight: 30, ...state }, { accepted, plan: first(50) }).step;
    expect(at({})).toMatchObject({ name: "half", weight: 30 });
    expect(at({ stepName: "gone" })).toMatchObject({ name: "gone", weight: 30 });
    expect(at({ stepName: undefined, weight: 60 })).toMatchObject({ name: "half", weight: 60 });
    expect(at({ weight: undefined })).toMatchObject({ name: "half", weight: 50 });
    expect(at({ phase: "Stepping" })).toMatchObject({ weight: 50 });
    expect(at({}, true)).toMatchObject({ weight: 50 });
  });

  it("is on its way to no more in a freeze than before", () => {
    const at = (state: object, promote?: "Refuse") => {
      const freeze = promote && { name: "year-end", promote, untilMs: undefined };
      const fleet = { freeze, order: undefined, limit: undefined };
      const stepping = { phase: "Stepping", weight: 10, ...state } as const;
      return contextAt(stepping, { fleet, plan: first(50) }).step.weight;
    };
    expect(at({ stepWeight: 25 }, "Refuse")).toBe(25);
    expect(at({ stepWeight: 60 }, "Refuse")).toBe(50);
    expect(at({}, "Refuse")).toBe(50);
    expect(at({ stepWeight: 25 })).toBe(50);
  });

  it("has a clock that stands still while it is paused", () => {
    expect(contextAt({ pausedSince: minutes(-3) }, { plan: { paused: true } })).toMatchObject({
      frozen: true,
    });
    expect(contextAt({ pausedSince: minutes(-3) }).clockMs).toBe(Date.parse(minutes(-3)));
    expect(contextAt({}).frozen).toBe(false);
    expect(contextAt({}, { accepted: false }).frozen).toBe(true);
    expect(contextAt({}, { alerts: { hold: { name: "x", message: "m" }, rollback: undefined } }).frozen).toBe(
      true,
    );
  });
});
