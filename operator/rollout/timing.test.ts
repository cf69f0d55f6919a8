import { describe, expect, it } from "vitest";
import { advanceRollout } from "./advance.ts";
import {
  canaryAt,
  commanded,
  evidenceSays,
  planBecomes,
  podsBecomeReady,
  podsFail,
  type Story,
  settle,
  specAsksFor,
  storyOf,
  timePasses,
} from "./model/story.ts";
import { inputOf, phaseOf, stateOf, step, T0, type World, worldAtRest } from "./model/world.ts";
import { timingOf } from "./timing.ts";

const plan = { steps: [step("half", 50), step("all", 100)] };
const given = (more: Partial<World> & { plan?: object } = {}): Story =>
  storyOf(worldAtRest({ ...more, plan: { ...plan, ...more.plan } }));

const MINUTE = 60_000;
const timing = (story: Story) => stateOf(story.world).timing;
/** Outcome, and minutes of progress and of waiting. */
const ended = (story: Story) =>
  story.ended.map(({ outcome, progressMs, waitingMs }) => [outcome, progressMs / MINUTE, waitingMs / MINUTE]);

/** A canary of "b" takes three minutes until its pods are ready, and holds. */
function begun(more: Parameters<typeof given>[0] = {}): Story {
  const story = given(more);
  specAsksFor(story, "b");
  timePasses(story, 3);
  podsBecomeReady(story);
  expect(phaseOf(story.world)).toBe("Holding");
  return story;
}

describe("the time of a rollout", () => {
  it("is progress while pods are started, and waiting while a step holds", () => {
    const story = given();
    specAsksFor(story, "b");
    expect(timing(story)).toEqual({ startedAt: "2026-01-01T00:00:00.000Z", waitedMs: 0 });
    timePasses(story, 3);
    podsBecomeReady(story);
    expect(timing(story)).toMatchObject({ waitedMs: 0, waitsSince: "2026-01-01T00:03:00.000Z" });
    timePasses(story, 4);
    podsFail(story, "b");
    expect(timing(story)).toEqual({ startedAt: "2026-01-01T00:00:00.000Z", waitedMs: 4 * MINUTE });
    timePasses(story, 2);
    podsBecomeReady(story);
    timePasses(story, 10);
    evidenceSays(story, "ProvedBelow");
    timePasses(story, 20);
    evidenceSays(story, "ProvedBelow");
    settle(story);
    expect(ended(story)).toEqual([["Promoted", 5, 34]]);
    expect(story.ended[0]).toMatchObject({ revision: "b", startedMs: T0, endedMs: T0 + 39 * MINUTE });
    expect(timing(story)).toBeUndefined();
  });

  it("waits through a pause, an alert and a refused spec, whatever pods do meanwhile", () => {
    const story = begun();
    for (const [change, back] of [
      [{ spec: { ...story.world.spec, paused: true } }, { spec: story.world.spec }],
      [
        { alerts: { hold: { name: "x", message: "m" }, rollback: undefined } },
        { alerts: story.world.alerts },
      ],
      [{ accepted: false }, { accepted: true }],
    ]) {
      Object.assign(story.world, change);
      podsFail(story, "b");
      timePasses(story, 7);
      Object.assign(story.world, back);
      podsBecomeReady(story);
    }
    commanded(story, { action: "abort", revision: "b" });
    settle(story);
    expect(ended(story)).toEqual([["RolledBack", 3, 21]]);
  });

  it("ends once for a version that is replaced before it was judged, and begins anew for the next", () => {
    const story = begun();
    timePasses(story, 1);
    specAsksFor(story, "c");
    settle(story);
    expect(ended(story)).toEqual([["Withdrawn", 3, 1]]);
    expect(timing(story)).toMatchObject({ startedAt: "2026-01-01T00:04:00.000Z", waitedMs: 0 });
  });

  it("of a return after the promotion is that of a rollout of its own", () => {
    const story = given({ plan: { watchAfter: "10m" } });
    canaryAt(story, 1);
    timePasses(story, 6);
    evidenceSays(story, "ProvedBelow");
    timePasses(story, 2);
    evidenceSays(story, "ProvedWorse");
    podsBecomeReady(story);
    expect(story.ended.map(({ outcome, revision }) => [outcome, revision])).toEqual([
      ["Promoted", "b"],
      ["RolledBack", "b"],
    ]);
  });

  it("is not that of a first version, nor of more or fewer pods", () => {
    const first = storyOf(worldAtRest({ plan, state: undefined, revisions: {}, desired: "a" }));
    settle(first);
    podsBecomeReady(first);
    expect(phaseOf(first.world)).toBe("Stable");
    const scaled = given();
    for (const needed of [5, 2, 0, 4]) {
      scaled.world.needed = needed;
      podsBecomeReady(scaled);
      timePasses(scaled, 10);
    }
    planBecomes(scaled, { progressDeadline: "20m" });
    expect([...first.ended, ...scaled.ended]).toEqual([]);
    expect(timing(scaled)).toBeUndefined();
  });

  it("is the same where a pass is repeated, as after a restart before it was stored", () => {
    const story = begun();
    timePasses(story, 5);
    commanded(story, { action: "abort", revision: "b" });
    const [end] = story.ended;
    expect(end).toBeDefined();
    // The moment before the end once more, from what was stored of it.
    const again = begun();
    timePasses(again, 5);
    again.world.command = { action: "abort", revision: "b", id: "once" };
    const ends: unknown[] = [];
    for (let passes = 0; passes < 10; passes++) {
      const stored = JSON.parse(JSON.stringify(inputOf(again.world)));
      const repeated = [advanceRollout(stored), advanceRollout(stored)];
      expect(repeated[0]?.ended).toEqual(repeated[1]?.ended);
      if (repeated[0]?.ended) ends.push(repeated[0].ended);
      settleOnce(again);
    }
    expect(ends).toEqual([end]);
  });
});

describe("timingOf", () => {
  const at = (seconds: number) => new Date(T0 + seconds * 1000).toISOString();
  const timed = { startedAt: at(0), waitedMs: 1000 };
  const holding = {
    phase: "Holding" as const,
    phaseSince: at(0),
    stableRevision: "a",
    canaryRevision: "b",
    timing: timed,
  };
  const over = { ...holding, phase: "Stable" as const, canaryRevision: undefined };
  const nowMs = T0 + 60_000;

  it("counts what is waited from when it began, and once", () => {
    const waits = { ...timed, waitsSince: at(20) };
    expect(timingOf(holding, holding, "HoldTime", nowMs).timing).toEqual({ ...timed, waitsSince: at(60) });
    expect(timingOf({ ...holding, timing: waits }, holding, "HoldTime", nowMs).timing).toEqual(waits);
    expect(timingOf({ ...holding, timing: waits }, holding, undefined, nowMs).timing).toEqual({
      ...timed,
      waitedMs: 41_000,
    });
    expect(timingOf({ ...holding, timing: waits }, holding, "PodsNotReady", nowMs).timing?.waitedMs).toBe(
      41_000,
    );
    // A clock that was set back.
    expect(timingOf({ ...holding, timing: waits }, holding, undefined, T0).timing?.waitedMs).toBe(1000);
  });

  it("knows nothing of a rollout whose state was lost", () => {
    const lost = { ...holding, timing: undefined };
    expect(timingOf(lost, lost, undefined, nowMs)).toStrictEqual({ timing: undefined, ended: undefined });
    expect(timingOf(lost, over, undefined, nowMs)).toStrictEqual({ timing: undefined, ended: undefined });
  });

  it.each([
    ["became stable", { stableRevision: "b" }, "Promoted"],
    ["failed", { failed: { revision: "b", reason: "Alert", message: "m", time: at(60) } }, "RolledBack"],
    [
      "was replaced after another had failed",
      { failed: { revision: "c", reason: "Alert", message: "m", time: at(0) } },
      "Withdrawn",
    ],
    ["was replaced", {}, "Withdrawn"],
  ])("ends with a version that %s", (_, after, outcome) => {
    expect(timingOf(holding, { ...over, ...after }, undefined, nowMs).ended).toEqual({
      revision: "b",
      outcome,
      startedMs: T0,
      endedMs: nowMs,
      waitingMs: 1000,
      progressMs: 59_000,
    });
  });

  it.each([
    ["without a start that can be read", { ...holding, timing: { ...timed, startedAt: "soon" } }],
    ["without a canary", { ...holding, canaryRevision: undefined }],
  ])("has no end %s", (_, before) => {
    expect(timingOf(before, over, undefined, nowMs).ended).toBeUndefined();
  });

  it("waits no longer than it takes", () => {
    const { ended } = timingOf(
      { ...holding, timing: { ...timed, waitedMs: 90_000 } },
      over,
      undefined,
      nowMs,
    );
    expect(ended).toMatchObject({ waitingMs: 60_000, progressMs: 0 });
    expect(timingOf(holding, over, undefined, T0 - 1).ended).toMatchObject({ waitingMs: 0, progressMs: 0 });
  });
});

function settleOnce(story: Story): void {
  story.last = undefined;
  const outcome = advanceRollout(inputOf(story.world));
  for (const [revision, replicas] of Object.entries(outcome.replicas)) {
    const pods = story.world.revisions[revision];
    if (pods) Object.assign(pods, { wanted: replicas, ready: Math.min(pods.ready, replicas), unready: 0 });
  }
  if (outcome.services) story.world.services = outcome.services;
  if (outcome.state) story.world.state = outcome.state;
  if (outcome.commandResult) story.world.acknowledged = outcome.commandResult.id;
}
