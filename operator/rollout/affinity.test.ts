import { describe, expect, it } from "vitest";
import type { RolloutStatus } from "../api/v1alpha1/status.ts";
import { affinityRound, noteLots } from "./affinity.ts";
import { contextAt, minutes } from "./model/moment.ts";
import { step, T0, type World } from "./model/world.ts";

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
  const drawn = (
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
    return noteLots(context.state, { ...context, canary, stable }).drawnSince;
  };
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

  it("has them drawn at the first step with a weight, where nobody was to meet the canary before", () => {
    const steps = [step("dark", 0), step("tenth", 10), step("all", 100)];
    expect(drawn({ ...KEPT, steps }, {})).toBe(minutes(1));
  });
});
