import { describe, expect, it } from "vitest";
import type { RolloutStatus } from "../../api/v1alpha1/status.ts";
import type { Context } from "../context.ts";
import { contextAt, minutes } from "../model/moment.ts";
import { step, T0 } from "../model/world.ts";
import type { RouteFacts } from "../types.ts";
import { gateway } from "./gateway.ts";
import { noteRoute } from "./noted.ts";

describe("router Gateway at one moment", () => {
  const plan = { traffic: { router: "Gateway", route: { parentRefs: [{ name: "public" }] } } };
  type Around = Omit<NonNullable<Parameters<typeof contextAt>[1]>, "route"> & {
    route?: RouteFacts | undefined;
  };
  const accepted: RouteFacts = {
    kind: "Known",
    canaryWeight: 0,
    baselineWeight: 0,
    acceptance: { kind: "Accepted" },
    mirror: 0,
    mayMirror: true,
  };
  const waiting: RouteFacts = { ...accepted, acceptance: { kind: "Waiting", message: "not yet" } };
  const at = (
    state: Partial<RolloutStatus>,
    { route = accepted, ...more }: Around = {},
    canary: object = {},
  ): Context => {
    const context = contextAt(state, { ...more, plan: { ...plan, ...more.plan } });
    return { ...context, input: { ...context.input, route }, canary: { ...context.canary, ...canary } };
  };
  const seconds = (count: number) => minutes(count / 60);
  const alone = { canaryRevision: undefined, stepName: undefined };
  const settledRoute = { routedWeight: 0, routedSince: seconds(-5) };
  const aborting = {
    phase: "Aborting",
    weight: 50,
    evidenceSince: seconds(-60),
    waitingSince: seconds(-1),
  } as const;
  const fromTenth = () => ({ steps: [step("tenth", 10), step("quarter", 25), step("all", 100)] });
  const copying = { steps: [step("half", 0, { mirror: 50 }), step("all", 100)] };

  it.each([
    ["a first version", { phase: "Pending", stableRevision: undefined }, {}, "b b b"],
    ["nothing", { phase: "Pending", ...alone, stableRevision: undefined }, {}, "  "],
    ["a version alone", { phase: "Stable", ...alone }, {}, "a a a"],
    ["a version promoted", { phase: "Promoting", ...alone, stableRevision: "b" }, {}, "b b b"],
    ["a version watched", { phase: "Watching", ...alone, stableRevision: "b" }, {}, "b b b"],
    ["a version before that ends", { phase: "Draining", ...alone, stableRevision: "b" }, {}, "b b b"],
    ["a canary that has left", { phase: "Aborted", ...alone }, {}, "a a a"],
    [
      "a canary that the gateway may not have let go yet",
      { phase: "Preparing", routedWeight: 0, routedSince: seconds(-4) },
      {},
      "a a a",
    ],
    ["a canary that starts", { phase: "Preparing", ...settledRoute }, {}, "a a b"],
    ["a canary without pods", { phase: "Preparing", ...settledRoute }, { pods: { b: 0 } }, "a a a"],
    ["a canary on its way", { phase: "Stepping" }, {}, "a a b"],
    ["a canary that holds", { phase: "Holding" }, {}, "a a b"],
    ["a canary that lost its pods", { phase: "Holding" }, { pods: { b: 0 } }, "a a a"],
    ["a stable version that lost its pods", { phase: "Holding" }, { pods: { a: 0 } }, "b b b"],
    ["two versions without pods", { phase: "Holding" }, { pods: { a: 0, b: 0 } }, "a a a"],
    ["a canary that cannot leave yet", aborting, { pods: { a: { ready: 3, unready: 1 } } }, "a a b"],
    ["a canary that leaves", aborting, {}, "a a a"],
  ] satisfies [string, Partial<RolloutStatus>, Around, string][])(
    "selects pods of %s",
    (_, state, more, selected) => {
      const { main, stable, canary } = gateway.services(at(state, more));
      expect([main, stable, canary].map(String).join(" ")).toBe(selected);
    },
  );

  const stepping = { phase: "Stepping", weight: 20, routedWeight: 20 } as const;
  it.each([
    ["the step's", stepping, {}, 50],
    [
      "as much as the canary's pods carry",
      { phase: "Holding", weight: 50 },
      { pods: { b: { ready: 1, unready: 3 } } },
      25,
    ],
    ["the step's with just the pods for it", { phase: "Holding", weight: 50 }, { pods: { b: 2 } }, 50],
    [
      "no more than planned of a large canary",
      { phase: "Holding", weight: 20 },
      { pods: { b: { ready: 1, unready: 1 } } },
      20,
    ],
    ["none", { phase: "Holding", weight: 0 }, { pods: { b: 0 } }, 0],
    ["not raised while a parent has not said that it takes the route", stepping, { route: waiting }, 20],
    ["not raised above what is written then", stepping, { route: { ...waiting, canaryWeight: 35 } }, 35],
    [
      "none yet then",
      { ...stepping, weight: undefined },
      { route: { ...waiting, canaryWeight: undefined } },
      0,
    ],
    ["not raised without a route", stepping, { route: { kind: "Unusable", message: "m" } }, 20],
    [
      "not raised from nothing without a route",
      { ...stepping, weight: undefined },
      { route: { kind: "Unknown" } },
      0,
    ],
  ] satisfies [string, Partial<RolloutStatus>, Around, number][])(
    "gives the canary a weight: %s",
    (_, state, more, weight) => {
      expect(gateway.canaryWeight(at(state, more))).toBe(weight);
      expect(gateway.routeWeight(at(state, more))).toBe(weight);
    },
  );

  it("leads everything to both Services of the promoted version until the gateway knows the pods", () => {
    const promoting = (ago: number) =>
      at({ phase: "Promoting", ...alone, stableRevision: "b", phaseSince: seconds(-ago) });
    expect([4, 5].map((ago) => gateway.routeWeight(promoting(ago)))).toEqual([100, 0]);
    expect([4, 5].map((ago) => gateway.settlesAtMs(promoting(ago)))).toEqual([T0 + 1000, T0]);
  });

  it.each([
    ["after the route has taken weight 0", { phase: "Preparing", ...settledRoute }, T0],
    [
      "at no time while it has not",
      { phase: "Preparing", routedWeight: 20, routedSince: seconds(-5) },
      undefined,
    ],
    ["at no time where nobody knows since when", { phase: "Preparing", routedWeight: 0 }, undefined],
    ["after the canary was taken out", { phase: "Aborting", leftSince: seconds(0) }, T0 + 5000],
    ["at no time before it was", { phase: "Aborting" }, undefined],
    ["at no time in a hold", { phase: "Holding", ...settledRoute }, undefined],
  ] satisfies [string, Partial<RolloutStatus>, number | undefined][])("has settled %s", (_, state, ms) => {
    expect(gateway.settlesAtMs(at(state))).toBe(ms);
  });

  it.each([
    ["not while it has not to", aborting, { pods: { a: 1 } }, false],
    ["not before the gateway follows", { ...aborting, leftSince: seconds(-4) }, {}, false],
    ["once the gateway follows", { ...aborting, leftSince: seconds(-5) }, {}, true],
    ["not before it was told", aborting, {}, false],
    ["at once if it was never in", { ...aborting, ...settledRoute, evidenceSince: undefined }, {}, true],
    [
      "not at once if a weight was raised before status said so",
      { ...aborting, ...settledRoute, evidenceSince: undefined },
      { route: { ...accepted, canaryWeight: 50 } },
      false,
    ],
    [
      "not before the gateway follows one that was taken back",
      { ...aborting, ...settledRoute, evidenceSince: undefined, leftSince: seconds(-4) },
      {},
      false,
    ],
    [
      "not before the gateway is known to have followed one that was taken back before the abort",
      { ...aborting, routedWeight: 0, routedSince: seconds(-4), evidenceSince: undefined },
      {},
      false,
    ],
  ] satisfies [string, Partial<RolloutStatus>, Around, boolean][])(
    "sees a canary leave: %s",
    (_, state, more, left) => {
      expect(gateway.hasLeft(at(state, more))).toBe(left);
    },
  );

  const fromQuarter = { steps: [step("quarter", 25), step("half", 50), step("all", 100)] };
  const since = { weight: 50, holdingSince: seconds(-60) };
  it.each([
    ["at its share", {}, { requestShare: 50 }, true],
    ["at a share as near to it as to the one before", {}, { requestShare: 37.5 }, true],
    ["not at a share nearer to the one before", {}, { requestShare: 37 }, false],
    ["after a minute at any share", since, { requestShare: 10 }, true],
    ["after a minute at none that is known", since, { requestShare: undefined }, true],
    ["not before a minute", { holdingSince: seconds(-59) }, { requestShare: 10 }, false],
    ["not at a share that nobody knows", {}, { requestShare: undefined }, false],
    ["not without requests", since, { requestShare: 50, servedRequests: false }, false],
  ])("sees a weight in effect %s", (_, state, canary, isIn) => {
    const context = at(
      { phase: "Holding", ...state },
      { plan: fromQuarter },
      { servedRequests: true, ...canary },
    );
    expect(gateway.inEffect(context)).toBe(isIn);
  });

  const copiesFirst = { steps: [step("copies", 0, { mirror: 50 }), step("quarter", 25), step("all", 100)] };
  const quarter = {
    phase: "Holding",
    weight: 25,
    routedWeight: 25,
    stepName: "quarter",
    stepIndex: 1,
  } as const;
  const followed = { ...quarter, routedSince: seconds(-5) };
  const notYet = { ...quarter, routedSince: seconds(-4.9) };
  it.each([
    ["that may be of copies while the gateway may not follow", copiesFirst, notYet, 25, false],
    ["that may be of copies once it does", copiesFirst, followed, 25, true],
    ["that is past the weight while the gateway may not follow", fromTenth(), notYet, 26, false],
    ["that is past the weight once it does", fromTenth(), followed, 26, true],
    ["that is just the weight at once", fromTenth(), notYet, 25, true],
  ] as const)("takes a share %s", (_, steps, state, requestShare, isIn) => {
    const context = at(state, { plan: steps }, { servedRequests: true, requestShare });
    expect(gateway.inEffect(context)).toBe(isIn);
  });

  it("compares the share at the first step with none", () => {
    const first = (requestShare: number) =>
      at({ phase: "Holding" }, {}, { servedRequests: true, requestShare });
    expect([25, 24].map((share) => gateway.inEffect(first(share)))).toEqual([true, false]);
  });

  it.each([
    [{ routedWeight: 50, routedSince: seconds(-5) }, true],
    [{ routedWeight: 50, routedSince: seconds(-4) }, false],
    [{ routedWeight: 25, routedSince: seconds(-5) }, false],
    [{ routedWeight: 50 }, false],
  ])(
    "sees a weight in effect where clients stay with their version by when it was taken up: %j",
    (state, isIn) => {
      const route = { parentRefs: [{ name: "public" }], affinity: {} };
      const more = { plan: { traffic: { router: "Gateway", route } } };
      expect(gateway.inEffect(at({ phase: "Holding", ...state }, more, { servedRequests: true }))).toBe(isIn);
    },
  );

  const elsewhere = (why: string) => ({
    reason: "WeightNotApplied",
    message: `Traffic is not where it should be: ${why}.`,
  });
  const notReady = (message: string) => ({ reason: "RouteNotReady", message });
  it.each([
    ["the gateway follows", { phase: "Holding", weight: 50, routedWeight: 50 }, {}, undefined],
    [
      "a weight is not taken up",
      { phase: "Holding", weight: 50, routedWeight: 25 },
      {},
      elsewhere("the gateway has not taken up weight 50% yet"),
    ],
    [
      "a step is not taken up, whatever the pods carry",
      { phase: "Stepping", weight: 20, routedWeight: 20 },
      { pods: { b: { ready: 1, unready: 1 } } },
      elsewhere("the gateway has not taken up weight 50% yet"),
    ],
    [
      "what the pods carry is taken up",
      { phase: "Holding", weight: 50, routedWeight: 25 },
      { pods: { b: { ready: 1, unready: 1 } } },
      undefined,
    ],
    ["the canary starts", { phase: "Preparing", ...settledRoute }, {}, undefined],
    [
      "the canary starts before everything is led to the stable version",
      { phase: "Preparing", routedWeight: 0, routedSince: seconds(-4) },
      {},
      elsewhere("the gateway does not lead everything to the stable version yet"),
    ],
    ["a parent does not take the route", { phase: "Holding" }, { route: waiting }, notReady("not yet")],
    [
      "there is no route",
      { phase: "Holding" },
      { route: { kind: "Unusable", message: "no HTTPRoute" } },
      notReady("no HTTPRoute"),
    ],
    [
      "nobody has looked",
      { phase: "Holding" },
      { route: { kind: "Unknown" } },
      notReady("The route has not been looked at yet."),
    ],
  ] satisfies [string, Partial<RolloutStatus>, Around, object | undefined][])(
    "lets a canary go on or not when %s",
    (_, state, more, hold) => {
      expect(gateway.whyNotOn(at(state, more))).toEqual(hold);
    },
  );

  it.each([
    ["in all", 8, undefined],
    [
      "not in all",
      7,
      {
        reason: "NoRoom",
        message:
          "Router Gateway keeps all 4 stable pods until the promotion and needs 8 in the last step, but 7 fit within spec.budget.cpu; raise spec.budget.cpu to fit 8, or use router Replicas.",
      },
    ],
  ])("starts a canary where the pods of its last step fit beside the stable ones: %s", (_, maxPods, hold) => {
    expect(gateway.whyNotStart(at({ phase: "Stable", ...alone }, { maxPods }))).toEqual(hold);
  });

  it("starts none without a route, nor one whose copies are not allowed", () => {
    const start = (more: Around) => gateway.whyNotStart(at({ phase: "Stable", ...alone }, more));
    expect(start({ route: { kind: "Unknown" } })).toMatchObject({ reason: "RouteNotReady" });
    expect(start({ plan: copying })).toBeUndefined();
    expect(start({ plan: copying, route: { ...accepted, mayMirror: false } })).toMatchObject({
      reason: "RouteNotReady",
      message: expect.stringContaining("Step half mirrors, which the administrator has not allowed"),
    });
  });

  const mirrored = { weight: 0 };
  it.each([
    ["the step's", { phase: "Holding", ...mirrored }, {}, 50],
    ["the step's on the way to it", { phase: "Stepping", ...mirrored }, {}, 50],
    ["what the pods carry", { phase: "Holding", ...mirrored }, { pods: { b: 1 } }, 25],
    ["none without pods", { phase: "Holding", ...mirrored }, { pods: { b: 0 } }, 0],
    ["none before the step", { phase: "Preparing", ...mirrored }, {}, 0],
    ["none while the canary has a weight", { phase: "Stepping", weight: 20 }, {}, 0],
    ["none without a route", { phase: "Holding", ...mirrored }, { route: { kind: "Unknown" } }, 0],
    [
      "none that are not allowed",
      { phase: "Holding", ...mirrored },
      { route: { ...accepted, mayMirror: false } },
      0,
    ],
    ["none that were refused", { phase: "Holding", ...mirrored, copiesRefused: "m" }, {}, 0],
    [
      "no more before they are accepted",
      { phase: "Holding", ...mirrored },
      { route: { ...waiting, mirror: 20 } },
      20,
    ],
    [
      "fewer before they are accepted",
      { phase: "Holding", ...mirrored },
      { pods: { b: 1 }, route: { ...waiting, mirror: 40 } },
      25,
    ],
  ] satisfies [string, Partial<RolloutStatus>, Around, number][])(
    "copies requests: %s",
    (_, state, more, percent) => {
      expect(gateway.routeMirror(at(state, { ...more, plan: copying }))).toBe(percent);
    },
  );

  it.each([
    [4, 50, 4, 2],
    [4, 30, 4, 2],
    [4, 0, 4, 0],
    [0, 50, 0, 0],
    [-1, 50, 0, 0],
  ])("gives pods by capacity: %d needed at weight %d", (needed, weight, stable, canary) => {
    const input = { needed, weight, maxPods: 100, whenTooFewPods: "AddPods" as const };
    expect(gateway.split(input)).toEqual({ stable, canary: expect.closeTo(canary) });
  });
});

describe("what is noted of a route", () => {
  const note = (
    state: Partial<RolloutStatus>,
    route: Partial<Extract<RouteFacts, { kind: "Known" }>> | undefined,
  ) => {
    const { input, state: before } = contextAt(state);
    const known = {
      kind: "Known",
      canaryWeight: 50,
      baselineWeight: 0,
      acceptance: { kind: "Accepted" },
      mirror: 0,
      mayMirror: true,
    };
    return noteRoute(before, { ...input, route: route && ({ ...known, ...route } as RouteFacts) });
  };
  const refused = { kind: "Refused" as const, message: "m".repeat(400) };
  const taken = { routedWeight: 50, routedSince: minutes(-9) };

  it("is the weight that was taken, and since when", () => {
    expect(note({}, {})).toMatchObject({ routedWeight: 50, routedSince: minutes(0) });
    expect(note(taken, {})).toMatchObject(taken);
    expect(note(taken, { canaryWeight: 20 })).toMatchObject({ routedWeight: 20, routedSince: minutes(0) });
  });

  it.each([
    ["is not accepted any more", { acceptance: refused }],
    ["has rules that do not agree", { canaryWeight: undefined }],
    ["is gone", undefined],
  ])("is no weight where the route %s", (_, route) => {
    const noted = note(taken, route);
    expect([noted.routedWeight, noted.routedSince]).toEqual([undefined, undefined]);
  });

  it("is that copies were refused, once and to the canary that is there", () => {
    const route = { mirror: 50, acceptance: refused };
    expect(note({}, route).copiesRefused).toBe("m".repeat(300));
    expect(note({ copiesRefused: "first" }, route).copiesRefused).toBe("first");
    expect(note({ canaryRevision: undefined }, route).copiesRefused).toBeUndefined();
    expect(note({}, { ...route, mirror: 0 }).copiesRefused).toBeUndefined();
    expect(
      note({}, { ...route, acceptance: { kind: "Waiting", message: "m" } }).copiesRefused,
    ).toBeUndefined();
  });
});
