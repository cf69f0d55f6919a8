import { describe, expect, it } from "vitest";
import type { RolloutStatus } from "../api/v1alpha1/status.ts";
import { affinityRound, noteLots } from "./affinity.ts";
import { contextAt, minutes } from "./model/moment.ts";
import { step, T0, type World } from "./model/world.ts";
import { take } from "./phases.ts";

const timing = { startedAt: new Date(T0 + 90_500).toISOString(), waitedMs: 0 };
const phaseSince = new Date(T0).toISOString();

describe("affinityRound", () => {
  it("is named after the canary and the second in which it started", () => {
    const state = { phase: "Holding" as const, phaseSince, stableRevision: "a", canaryRevision: "b", timing };
    const second = Math.floor(T0 / 1000) + 90;
    expect(affinityRound(state)).toEqual({ id: `b-${second.toString(36)}`, canary: "b" });
  });

  it.each([
    ["nothing stored", undefined],
    ["a first version", { phase: "Pending" as const, phaseSince, canaryRevision: "a" }],
    ["a stable version alone", { phase: "Stable" as const, phaseSince, stableRevision: "a", timing }],
  ])("is none with %s", (_, state) => {
    expect(affinityRound(state)).toBeUndefined();
  });
});

describe("noteLots", () => {
  const noted = (
    { affinity = {}, steps = [step("tenth", 10), step("all", 100)] }: { affinity?: object; steps?: object[] },
    state: Partial<RolloutStatus>,
    world: Partial<World> = {},
    served: { readonly canary?: boolean; readonly stable?: boolean } = { canary: false, stable: true },
  ) => {
    const traffic = { router: "Gateway", route: { parentRefs: [{ name: "gw" }], ...affinity } };
    const context = contextAt(
      { stepName: "tenth", ...state },
      { plan: { traffic, steps }, nowMs: Date.parse(minutes(1)), ...world },
    );
    const [canary, stable] = [
      { ...context.canary, servedRequests: served.canary },
      { ...context.stable, servedRequests: served.stable },
    ];
    return noteLots(context.state, { ...context, canary, stable });
  };
  const drawn = (...given: Parameters<typeof noted>) => noted(...given).drawnSince;
  const KEPT = { affinity: { affinity: {} } };

  it("has lots drawn anew when a minute has passed in which nobody met the canary, and again after another", () => {
    expect(drawn(KEPT, {})).toBe(minutes(1));
    expect(drawn(KEPT, {}, { nowMs: Date.parse(minutes(1)) - 1 })).toBeUndefined();
    const again = { drawnSince: minutes(1) };
    expect(drawn(KEPT, again, { nowMs: Date.parse(minutes(2)) - 1 })).toBe(minutes(1));
    expect(drawn(KEPT, again, { nowMs: Date.parse(minutes(2)) })).toBe(minutes(2));
  });

  it("names another rollout then", () => {
    const state = { phase: "Holding" as const, phaseSince, stableRevision: "a", canaryRevision: "b", timing };
    expect(affinityRound({ ...state, drawnSince: minutes(9) })?.id).not.toBe(affinityRound(state)?.id);
  });

  it.each<[string, Parameters<typeof drawn>]>([
    ["clients keep no version", [{}, {}]],
    ["the canary was met", [KEPT, {}, {}, { canary: true, stable: true }]],
    ["it was seen to serve before", [KEPT, { servedSince: minutes(0) }]],
    ["it was met at a step that a person has jumped back from", [KEPT, { metAt: minutes(-9) }]],
    ["nobody asks at all", [KEPT, {}, {}, { canary: false, stable: false }]],
    ["the source says nothing", [KEPT, {}, {}, {}]],
    ["its weight is not in force yet", [KEPT, { phase: "Stepping" }]],
    [
      "it may have been met at an earlier step",
      [{ ...KEPT, steps: [step("first", 5), step("tenth", 10), step("all", 100)] }, {}],
    ],
    ["nobody is to meet it", [{ ...KEPT, steps: [step("tenth", 0), step("all", 100)] }, {}]],
  ])("leaves them where %s", (_, given) => {
    expect(drawn(...given)).toBeUndefined();
  });

  it.each<[string, string | undefined, Parameters<typeof noted>]>([
    ["from the first answer of the canary", minutes(1), [KEPT, {}, {}, { canary: true, stable: true }]],
    ["also at a later step", minutes(1), [KEPT, { stepName: "all" }, {}, { canary: true, stable: true }]],
    ["once", minutes(-9), [KEPT, { metAt: minutes(-9) }, {}, { canary: true, stable: true }]],
    ["from what was noted of the step", minutes(0), [KEPT, { servedSince: minutes(0) }]],
    ["not before it", undefined, [KEPT, {}]],
    ["not while the metrics are silent", undefined, [KEPT, {}, {}, {}]],
    [
      "not by those whom a header leads to it",
      undefined,
      [{ ...KEPT, steps: [step("tenth", 0), step("all", 100)] }, {}, {}, { canary: true, stable: true }],
    ],
    ["not where clients keep no version", undefined, [{}, {}, {}, { canary: true, stable: true }]],
  ])("notes that the canary was met %s", (_, metAt, given) => {
    expect(noted(...given).metAt).toBe(metAt);
  });

  it("keeps the note from step to step, and drops it with the canary", () => {
    const met = { ...noted(KEPT, {}, {}, { canary: true, stable: true }), canaryRevision: "b" };
    const stepping = take(met, "StepPassed", T0);
    expect(stepping.metAt).toBe(minutes(1));
    expect(take(take(stepping, "Withdrawn", T0), "Returned", T0).metAt).toBeUndefined();
  });

  it("has them drawn at the first step with a weight, where nobody was to meet the canary before", () => {
    const steps = [step("dark", 0), step("tenth", 10), step("all", 100)];
    expect(drawn({ ...KEPT, steps }, {})).toBe(minutes(1));
  });
});
