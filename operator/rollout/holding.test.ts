import { describe, expect, it } from "vitest";
import {
  canaryAt,
  evidenceSays,
  metricsGo,
  planBecomes,
  podsBecomeReady,
  podsFail,
  settle,
  specAsksFor,
  storyOf,
  timePasses,
} from "./model/story.ts";
import { judged, phaseOf, stateOf, step, worldAtRest } from "./model/world.ts";

const steps = [step("half", 50, { hold: "10m" }), step("all", 100, { hold: "0s" })];
const given = (plan: Record<string, unknown> = {}, more: Parameters<typeof worldAtRest>[0] = {}) =>
  storyOf(worldAtRest({ needed: 2, plan: { steps, ...plan }, ...more }));

describe("a hold", () => {
  it("is counted from the canary's first served requests", () => {
    const story = given({}, { traffic: false });
    specAsksFor(story, "b");
    podsBecomeReady(story);
    evidenceSays(story, "ProvedBelow");
    timePasses(story, 59);
    expect(story.last?.hold?.reason).toBe("NoRequests");
    story.world.traffic = true;
    settle(story);
    expect(story.last?.step?.holdUntilMs).toBe(story.world.nowMs + 600_000);
    expect(story.last?.wakeAtMs).toBe(story.world.nowMs + 600_000);
    timePasses(story, 9);
    expect(story.last?.hold?.reason).toBe("HoldTime");
    timePasses(story, 1);
    evidenceSays(story, "ProvedBelow");
    expect(stateOf(story.world).stepName).toBe("all");
  });

  it("is not left on evidence alone, nor on time alone", () => {
    const story = given();
    canaryAt(story, 0);
    evidenceSays(story, "ProvedBelow");
    expect(story.last?.hold?.reason).toBe("HoldTime");
    evidenceSays(story, "Undecided");
    timePasses(story, 60);
    evidenceSays(story, "Undecided");
    expect(story.last?.hold).toMatchObject({
      reason: "Undecided",
      message: expect.stringContaining("errors"),
    });
  });

  it("needs a whole interval that was counted at its own weight", () => {
    const story = given();
    canaryAt(story, 0);
    const early = judged(story.world, "ProvedBelow", { decidedAtMs: story.world.nowMs + 14_999 });
    timePasses(story, 10);
    story.world.verdicts = early;
    settle(story);
    expect(story.last?.hold).toMatchObject({
      reason: "Undecided",
      message: expect.stringContaining("interval"),
    });
  });

  it("begins anew at each step", () => {
    const story = given({ steps: [step("half", 50), step("all", 100)] });
    canaryAt(story, 1);
    evidenceSays(story, "ProvedBelow");
    expect(story.last?.hold?.reason).toBe("HoldTime");
  });
});

describe("evidence", () => {
  const latency = { signal: "FirstByte", objective: "100ms" };
  const gates = [{ name: "memory", metric: "MemoryPerPod", maxIncrease: "10%" }];

  it("of latency is needed where it is configured", () => {
    const story = given({ analysis: { latency } });
    canaryAt(story, 0);
    timePasses(story, 10);
    evidenceSays(story, "ProvedBelow");
    expect(story.last?.hold).toMatchObject({
      reason: "Undecided",
      message: expect.stringContaining("latency"),
    });
    evidenceSays(story, "ProvedBelow", { latency: { category: "ProvedBelow", message: "" } });
    expect(stateOf(story.world).stepName).toBe("all");
  });

  it("of latency rolls back by itself", () => {
    const story = given({ analysis: { latency } });
    canaryAt(story, 0);
    evidenceSays(story, "ProvedBelow", { latency: { category: "ProvedWorse", message: "+9pp" } });
    expect(stateOf(story.world).failed).toMatchObject({ reason: "LatencyProvedWorse", message: "+9pp" });
  });

  it.each([
    ["Undecided", "GateUndecided"],
    ["NoData", "NoData"],
  ] as const)("of a gate that is %s holds", (category, reason) => {
    const story = given({ analysis: { gates } });
    canaryAt(story, 0);
    timePasses(story, 10);
    evidenceSays(story, "ProvedBelow", { gates: [{ name: "memory", category, message: "1 of 3" }] });
    expect(story.last?.hold).toMatchObject({
      reason,
      message: expect.stringContaining("1 of 3"),
    });
  });

  it("that only runs dry is not waited for", () => {
    const dry = {
      latency: { ...latency, dryRun: true },
      gates: gates.map((gate) => ({ ...gate, dryRun: true })),
    };
    const story = given({ analysis: dry });
    canaryAt(story, 0);
    timePasses(story, 10);
    evidenceSays(story, "ProvedBelow");
    expect(stateOf(story.world).stepName).toBe("all");
  });

  it("of a gate without any verdict holds", () => {
    const story = given({ analysis: { gates } });
    canaryAt(story, 0);
    timePasses(story, 10);
    evidenceSays(story, "ProvedBelow");
    expect(story.last?.hold?.reason).toBe("GateUndecided");
  });

  it("of a violated gate rolls back", () => {
    const story = given({ analysis: { gates } });
    canaryAt(story, 0);
    evidenceSays(story, "ProvedBelow", {
      gates: [{ name: "memory", category: "Violated", message: "+50%" }],
    });
    expect(stateOf(story.world).failed).toMatchObject({
      reason: "GateViolated",
      message: "gate memory: +50%",
    });
  });

  it("is gathered from the moment the canary enters the Service, over all steps", () => {
    const story = given();
    expect(specAsksFor(story, "b").evidence).toEqual({ action: "stop" });
    const seen: string[] = [];
    for (let i = 0; i < 3; i += 1) {
      podsBecomeReady(story);
      seen.push(story.last?.evidence.action ?? "");
      timePasses(story, 10);
      evidenceSays(story, "ProvedBelow");
    }
    expect(seen).toEqual(["continue", "continue", "stop"]);
    expect(story.last?.evidence).toEqual({ action: "stop" });
  });
});

describe("missing data", () => {
  it("holds for ever under Pause, and goes on when it is back", () => {
    const story = given();
    canaryAt(story, 0);
    evidenceSays(story, "ProvedBelow");
    metricsGo(story, false);
    timePasses(story, 59);
    expect(story.last?.hold).toMatchObject({ reason: "MetricsUnavailable" });
    expect(story.decisions.filter((one) => one.reason === "MetricsUnavailable")).toHaveLength(1);
    timePasses(story, 100 * 60);
    expect(story.last?.hold?.reason).toBe("NoDataTooLong");
    expect(phaseOf(story.world)).toBe("Holding");
    metricsGo(story, true);
    evidenceSays(story, "ProvedBelow");
    podsBecomeReady(story);
    expect(stateOf(story.world).stepName).toBe("all");
  });

  it("does not act on a verdict from before the source failed", () => {
    const story = given();
    canaryAt(story, 0);
    metricsGo(story, false);
    evidenceSays(story, "ProvedWorse");
    expect(phaseOf(story.world)).toBe("Holding");
    metricsGo(story, true);
    expect(phaseOf(story.world)).toBe("Aborted");
  });

  it.each(["NotStarted", "NoData"] as const)("%s holds", (kind) => {
    const story = given();
    canaryAt(story, 0);
    timePasses(story, 10);
    story.world.verdicts = { kind, message: "no series yet" };
    expect(settle(story).hold).toMatchObject({
      reason: "NoData",
      message: expect.stringContaining("no series yet"),
    });
  });

  const noData = (action: string, more: object = {}) => ({
    analysis: { noData: { after: "30m", action }, ...more },
  });

  it("is rolled back under Rollback when it has lasted, though not before the hold is over", () => {
    const story = given({
      ...noData("Rollback"),
      steps: [step("half", 50, { hold: "2h" }), step("all", 100)],
    });
    canaryAt(story, 0);
    metricsGo(story, false);
    timePasses(story, 119);
    expect(phaseOf(story.world)).toBe("Holding");
    timePasses(story, 1);
    expect(stateOf(story.world).failed?.reason).toBe("NoData");
  });

  it("is counted anew when data were there in between", () => {
    const story = given(noData("Rollback"));
    canaryAt(story, 0);
    metricsGo(story, false);
    timePasses(story, 29);
    metricsGo(story, true);
    evidenceSays(story, "Undecided");
    metricsGo(story, false);
    timePasses(story, 29);
    expect(phaseOf(story.world)).toBe("Holding");
    timePasses(story, 1);
    expect(stateOf(story.world).failed?.reason).toBe("NoData");
  });

  it("lets the step go under Proceed, and is no matter of `inconclusive`", () => {
    const story = given(noData("Proceed", { inconclusive: { after: "0s", action: "Rollback" } }));
    canaryAt(story, 0);
    metricsGo(story, false);
    timePasses(story, 29);
    expect(story.last?.hold?.reason).toBe("MetricsUnavailable");
    timePasses(story, 1);
    expect(stateOf(story.world).stepName).toBe("all");
  });

  it("does not count while paused", () => {
    const story = given(noData("Rollback"));
    canaryAt(story, 0);
    metricsGo(story, false);
    timePasses(story, 20);
    planBecomes(story, { paused: true });
    timePasses(story, 600);
    planBecomes(story, { paused: false });
    timePasses(story, 9);
    expect(phaseOf(story.world)).toBe("Holding");
    timePasses(story, 1);
    expect(stateOf(story.world).failed?.reason).toBe("NoData");
  });

  it.each(["Proceed", "Rollback"])(
    "does not count for %s while no pods are asked for, nor before one is ready again",
    (action) => {
      const story = given(noData(action));
      canaryAt(story, 0);
      story.world.needed = 0;
      metricsGo(story, false);
      timePasses(story, 8 * 60);
      story.world.needed = 2;
      timePasses(story, 60);
      expect(stateOf(story.world).noDataSince).toBeUndefined();
      podsBecomeReady(story);
      expect(stateOf(story.world)).toMatchObject({ phase: "Holding", stepName: "half" });
      timePasses(story, 29);
      expect(stateOf(story.world)).toMatchObject({ phase: "Holding", stepName: "half" });
    },
  );

  it("counts on where a pod of several is not ready for a moment", () => {
    const story = given(noData("Rollback"));
    canaryAt(story, 0);
    metricsGo(story, false);
    timePasses(story, 20);
    podsFail(story, "b");
    podsBecomeReady(story);
    timePasses(story, 10);
    expect(stateOf(story.world).failed?.reason).toBe("NoData");
  });

  it("is known when there are no requests at all, from when the weight was in force", () => {
    const story = given(noData("Rollback"), { traffic: false });
    specAsksFor(story, "b");
    podsBecomeReady(story);
    expect(story.last?.wakeAtMs).toBe(story.world.nowMs + 30 * 60_000);
    timePasses(story, 30);
    expect(stateOf(story.world).failed?.reason).toBe("NoData");
  });
});

describe("an inconclusive step", () => {
  const inconclusive = (action: string) => ({ analysis: { inconclusive: { after: "1h", action } } });

  it("waits for a person under Pause, unless proof arrives", () => {
    const story = given(inconclusive("Pause"));
    canaryAt(story, 0);
    timePasses(story, 69);
    expect(story.last?.hold?.reason).toBe("Undecided");
    timePasses(story, 1);
    expect(story.last?.hold?.reason).toBe("Inconclusive");
    evidenceSays(story, "ProvedBelow");
    expect(stateOf(story.world).stepName).toBe("all");
  });

  it("is rolled back under Rollback, no sooner than asked", () => {
    const story = given(inconclusive("Rollback"));
    canaryAt(story, 0);
    timePasses(story, 69);
    expect(phaseOf(story.world)).toBe("Holding");
    timePasses(story, 1);
    expect(stateOf(story.world).failed?.reason).toBe("Inconclusive");
  });

  it("goes on under Proceed, though not past an approval or a proof of harm", () => {
    const story = given({
      ...inconclusive("Proceed"),
      steps: [step("half", 50, { approval: true }), step("all", 100)],
    });
    canaryAt(story, 0);
    timePasses(story, 120);
    expect(story.last?.hold?.reason).toBe("Approval");
    planBecomes(story, { steps: [step("half", 50), step("all", 100)] });
    expect(stateOf(story.world).stepName).toBe("all");
    evidenceSays(story, "ProvedWorse");
    expect(phaseOf(story.world)).toBe("Aborted");
  });

  it("is counted from the end of the hold", () => {
    const story = given(inconclusive("Rollback"), { traffic: false });
    specAsksFor(story, "b");
    podsBecomeReady(story);
    timePasses(story, 60);
    story.world.traffic = true;
    evidenceSays(story, "Undecided");
    timePasses(story, 69);
    expect(phaseOf(story.world)).toBe("Holding");
    timePasses(story, 1);
    expect(stateOf(story.world).failed?.reason).toBe("Inconclusive");
  });
});

describe("a pause", () => {
  it("counts neither to the hold nor to inconclusive nor to the deadline", () => {
    const story = given({ analysis: { inconclusive: { after: "1h", action: "Rollback" } } });
    specAsksFor(story, "b");
    timePasses(story, 9);
    planBecomes(story, { paused: true });
    timePasses(story, 600);
    planBecomes(story, { paused: false });
    timePasses(story, 0.5);
    expect(phaseOf(story.world)).toBe("Preparing");
    podsBecomeReady(story);
    timePasses(story, 4);
    planBecomes(story, { paused: true });
    timePasses(story, 600);
    planBecomes(story, { paused: false });
    evidenceSays(story, "ProvedBelow");
    timePasses(story, 5);
    expect(story.last?.hold?.reason).toBe("HoldTime");
    timePasses(story, 1);
    expect(stateOf(story.world).stepName).toBe("all");
  });

  it("is what a bridge without pods has: neither its hold nor `inconclusive` nor `noData` go on", () => {
    const analysis = {
      inconclusive: { after: "1h", action: "Rollback" },
      noData: { after: "1h", action: "Rollback" },
    };
    const story = given({ analysis });
    const { needed } = story.world;
    canaryAt(story, 0);
    timePasses(story, 4);
    story.world.needed = 0;
    settle(story);
    timePasses(story, 600);
    expect([phaseOf(story.world), story.last?.hold?.reason]).toEqual(["Holding", "NoPodsNeeded"]);
    story.world.needed = needed;
    podsBecomeReady(story);
    timePasses(story, 5);
    expect(story.last?.hold?.reason).toBe("HoldTime");
    timePasses(story, 60);
    expect(phaseOf(story.world)).toBe("Holding");
    timePasses(story, 2);
    expect(stateOf(story.world).failed?.reason).toBe("Inconclusive");
  });

  it("starts nothing new, and keeps a step that is being taken where it is", () => {
    const story = given({ paused: true }, { needed: 3 });
    specAsksFor(story, "b");
    expect(story.last?.hold?.reason).toBe("Paused");
    expect(story.world.revisions).not.toHaveProperty("b");
    planBecomes(story, { paused: false, steps: [step("quarter", 25), step("all", 100)] });
    podsBecomeReady(story);
    timePasses(story, 10);
    story.world.verdicts = judged(story.world, "ProvedBelow");
    settle(story);
    expect(phaseOf(story.world)).toBe("Stepping");
    planBecomes(story, { paused: true });
    podsBecomeReady(story);
    expect(phaseOf(story.world)).toBe("Stepping");
    expect(story.world.services.main).toEqual(["a", "b"]);
  });

  it("does not stop what makes a canary leave", () => {
    const story = given();
    canaryAt(story, 0);
    planBecomes(story, { paused: true });
    evidenceSays(story, "ProvedWorse");
    expect(phaseOf(story.world)).toBe("Aborted");
  });
});

it("an approval is asked for last, when everything else is there", () => {
  const story = given({ steps: [step("half", 50, { approval: true }), step("all", 100)] });
  canaryAt(story, 0);
  timePasses(story, 10);
  expect(story.last?.hold?.reason).toBe("Undecided");
  evidenceSays(story, "ProvedBelow");
  expect(story.last?.hold).toMatchObject({ reason: "Approval", message: expect.stringContaining("promote") });
  expect(story.last?.step?.needsApproval).toBe(true);
});
