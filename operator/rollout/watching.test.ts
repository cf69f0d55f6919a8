import { describe, expect, it } from "vitest";
import {
  canaryAt,
  commanded,
  evidenceSays,
  metricsGo,
  planBecomes,
  podFault,
  podsAreGone,
  podsBecomeReady,
  podsFail,
  type Story,
  settle,
  specAsksFor,
  storyOf,
  timePasses,
} from "./model/story.ts";
import { phaseOf, stateOf, step, type World, worldAtRest } from "./model/world.ts";

const plan = { steps: [step("half", 50), step("all", 100)], watchAfter: "10m" };

/** "b" was promoted a moment ago and is watched; "a" served before. */
function watched(more: Partial<World> & { plan?: Record<string, unknown> } = {}): Story {
  const story = storyOf(worldAtRest({ needed: 3, ...more, plan: { ...plan, ...more.plan } }));
  canaryAt(story, 1);
  timePasses(story, 6);
  evidenceSays(story, "ProvedBelow");
  evidenceSays(story, "Undecided");
  expect(phaseOf(story.world)).toBe("Watching");
  return story;
}

const pods = (story: Story, revision: string) => {
  const { wanted, ready } = story.world.revisions[revision] ?? { wanted: 0, ready: 0 };
  return `${ready}/${wanted}`;
};
const serving = (story: Story) => story.world.services.main;

describe("a version after its promotion", () => {
  it("is stable and has all of the traffic, while the one before keeps its pods beside the Service", () => {
    const story = watched();
    expect(stateOf(story.world)).toMatchObject({ stableRevision: "b", previousRevision: "a" });
    expect(stateOf(story.world).canaryRevision).toBeUndefined();
    expect(story.world.services).toEqual({ main: ["b"], stable: ["b"], canary: [] });
    expect([pods(story, "a"), pods(story, "b")]).toEqual(["3/3", "3/3"]);
    expect(story.last).toMatchObject({
      tracks: { a: "previous", b: "production" },
      desiredWeights: { a: 0, b: 100 },
      evidence: { action: "watch", revision: "b" },
      summary:
        "Watching revision b after its promotion until 2026-01-01T01:16:00Z; revision a stays ready to return to.",
    });
  });

  it("is watched for watchAfter; then the version before ends", () => {
    const story = watched();
    expect(story.last?.wakeAtMs).toBe(story.world.nowMs + 10 * 60_000);
    timePasses(story, 9);
    expect(phaseOf(story.world)).toBe("Watching");
    timePasses(story, 1);
    expect(stateOf(story.world)).toMatchObject({ phase: "Stable", stableRevision: "b" });
    expect(stateOf(story.world).previousRevision).toBeUndefined();
    expect(pods(story, "a")).toBe("0/0");
    expect(story.decisions.at(-1)).toMatchObject({ action: "Finish", reason: "Watched" });
  });

  it("may be watched, and the one before may drain, for longer than progressDeadline: that is no lack of progress", () => {
    const story = watched({ slowDrain: true, plan: { watchAfter: "1h", progressDeadline: "5m" } });
    timePasses(story, 59);
    expect(stateOf(story.world)).toMatchObject({ phase: "Watching", stableRevision: "b" });
    timePasses(story, 1);
    expect(phaseOf(story.world)).toBe("Draining");
    timePasses(story, 60);
    expect(stateOf(story.world)).toMatchObject({ phase: "Draining", stableRevision: "b" });
    expect(stateOf(story.world).failed).toBeUndefined();
    podsAreGone(story);
    expect(phaseOf(story.world)).toBe("Stable");
    expect(story.decisions.map(({ action }) => action)).not.toContain("Rollback");
  });

  it("is not watched with 0s, nor any longer once it is edited to that", () => {
    const story = storyOf(worldAtRest({ plan: { ...plan, watchAfter: "0s" } }));
    canaryAt(story, 1);
    timePasses(story, 6);
    evidenceSays(story, "ProvedBelow");
    expect(stateOf(story.world)).toMatchObject({ phase: "Stable", stableRevision: "b" });
    const other = watched();
    planBecomes(other, { watchAfter: "0s" });
    expect(phaseOf(other.world)).toBe("Stable");
  });

  it("is watched on by time while it is paused, and while no metrics tell", () => {
    const story = watched();
    metricsGo(story, false);
    planBecomes(story, { paused: true });
    timePasses(story, 10);
    expect(phaseOf(story.world)).toBe("Stable");
  });

  it("leaves the one before those of its pods that fit beside it", () => {
    const story = watched({ maxPods: 6 });
    story.world.needed = 4;
    podsBecomeReady(story);
    expect([pods(story, "a"), pods(story, "b")]).toEqual(["2/2", "4/4"]);
    story.world.needed = 2;
    settle(story);
    expect([pods(story, "a"), pods(story, "b")]).toEqual(["2/2", "2/2"]);
    // None is started for it.
    story.world.needed = 3;
    podsBecomeReady(story);
    expect(pods(story, "a")).toBe("2/2");
  });
});

describe("a version that gets worse after its promotion", () => {
  it.each<[string, (story: Story) => void, string]>([
    ["an alarm of the change detector", (story) => evidenceSays(story, "ProvedWorse"), "ErrorsProvedWorse"],
    ["a container that fails", (story) => podFault(story, "b", "OOMKilled"), "OOMKilled"],
    [
      "an alert that asks for it",
      (story) => {
        const rollback = { name: "slow", message: "it is slow", sinceMs: story.world.nowMs };
        story.world.alerts = { hold: undefined, rollback };
        settle(story);
      },
      "Alert",
    ],
    ["a person", (story) => void commanded(story, { action: "abort", revision: "b" }), "Command"],
  ])("is left at once for the one before by %s", (_, happens, reason) => {
    const story = watched();
    happens(story);
    expect(stateOf(story.world)).toMatchObject({
      phase: "Aborted",
      stableRevision: "a",
      failed: { revision: "b", reason },
    });
    expect(story.traffic.slice(-2)).toEqual([["b"], ["a"]]);
    expect(story.decisions.find(({ action }) => action === "Rollback")).toMatchObject({ reason });
    expect([pods(story, "a"), pods(story, "b")]).toEqual(["3/3", "0/0"]);
    // The spec still asks for it.
    timePasses(story, 60);
    expect(stateOf(story.world)).toMatchObject({ phase: "Aborted", stableRevision: "a" });
  });

  it("is left pod by pod where the one before has too few, and never for less capacity than is needed", () => {
    const story = watched({ plan: { steps: [step("most", 75), step("all", 100)] } });
    expect(pods(story, "a")).toBe("1/1");
    evidenceSays(story, "ProvedWorse");
    expect(phaseOf(story.world)).toBe("Aborting");
    expect([pods(story, "a"), pods(story, "b")]).toEqual(["1/3", "2/2"]);
    expect(serving(story)).toEqual(["a", "b"]);
    podsBecomeReady(story, "a");
    expect(stateOf(story.world)).toMatchObject({ phase: "Aborted", stableRevision: "a" });
    expect(serving(story)).toEqual(["a"]);
  });

  it("is left without a mark when the spec goes back, and no step is taken for it", () => {
    const story = watched();
    specAsksFor(story, "a");
    expect(stateOf(story.world)).toMatchObject({ phase: "Stable", stableRevision: "a" });
    expect(stateOf(story.world).failed).toBeUndefined();
    expect(story.traffic.at(-1)).toEqual(["a"]);
    expect(story.decisions.at(-1)).toMatchObject({ action: "Withdraw", reason: "Reverted" });
  });

  it("is held for a person under onFailure: Pause, for longer than watchAfter", () => {
    const story = watched({ plan: { onFailure: "Pause" } });
    evidenceSays(story, "ProvedWorse");
    timePasses(story, 60);
    expect(phaseOf(story.world)).toBe("Watching");
    expect(story.last?.hold).toMatchObject({ reason: "ProvedWorse" });
    commanded(story, { action: "promote", revision: "b" });
    expect(stateOf(story.world)).toMatchObject({ phase: "Stable", stableRevision: "b" });
  });

  it("is held on while the metric source does not answer", () => {
    const story = watched({ plan: { onFailure: "Pause" } });
    evidenceSays(story, "ProvedWorse");
    timePasses(story, 60);
    metricsGo(story, false);
    expect(stateOf(story.world)).toMatchObject({ phase: "Watching", previousRevision: "a" });
    expect(pods(story, "a")).toBe("3/3");
  });

  it("is not left for an alert that fired before it served", () => {
    const story = watched();
    const rollback = { name: "slow", message: "it is slow", sinceMs: story.world.nowMs - 24 * 3_600_000 };
    story.world.alerts = { hold: undefined, rollback };
    settle(story);
    expect(phaseOf(story.world)).toBe("Watching");
  });

  it("is not left because nothing is known of it", () => {
    const story = watched();
    evidenceSays(story, "ProvedBelow");
    metricsGo(story, false);
    story.world.verdicts = { kind: "NoData", message: "no samples" };
    timePasses(story, 5);
    expect(phaseOf(story.world)).toBe("Watching");
  });
});

describe("another change while a version is watched", () => {
  it("ends the watch, and starts from the version that is watched", () => {
    const story = watched();
    specAsksFor(story, "c");
    expect(stateOf(story.world)).toMatchObject({
      phase: "Preparing",
      stableRevision: "b",
      canaryRevision: "c",
    });
    expect(pods(story, "a")).toBe("0/0");
  });

  it("waits for the room that the version before takes", () => {
    const story = watched({ maxPods: 6, slowDrain: true });
    specAsksFor(story, "c");
    expect(phaseOf(story.world)).toBe("Draining");
    podsAreGone(story);
    expect(phaseOf(story.world)).toBe("Preparing");
  });

  it("does not end the watch while it may not start", () => {
    const story = watched();
    planBecomes(story, { paused: true });
    specAsksFor(story, "c");
    expect(phaseOf(story.world)).toBe("Watching");
    evidenceSays(story, "ProvedWorse");
    expect(stateOf(story.world)).toMatchObject({ stableRevision: "a" });
  });
});

describe("commands while a version is watched", () => {
  it("that speak of another revision are refused with the present one", () => {
    for (const action of ["promote", "abort"] as const) {
      const story = watched();
      expect(commanded(story, { action, revision: "a" }).commandResult).toMatchObject({
        result: "Refused",
        message: "The command speaks of revision a, but the promoted one is b.",
      });
      expect(phaseOf(story.world)).toBe("Watching");
    }
  });

  it("give the version before up at once", () => {
    const story = watched();
    const { commandResult } = commanded(story, { action: "promote", revision: "b" });
    expect(commandResult).toMatchObject({ result: "Done" });
    expect(phaseOf(story.world)).toBe("Stable");
    expect(pods(story, "a")).toBe("0/0");
  });
});

it("is tried again from the first step after an alarm, when a person says so", () => {
  const story = watched();
  evidenceSays(story, "ProvedWorse");
  story.world.verdicts = { kind: "NotStarted", message: "nothing was counted yet" };
  commanded(story, { action: "retry", revision: "b" });
  podsBecomeReady(story);
  expect(stateOf(story.world)).toMatchObject({ phase: "Holding", canaryRevision: "b", stepName: "half" });
});

it("keeps what is ready where the version before has lost its pods", () => {
  const story = watched();
  podsFail(story, "a", 3);
  evidenceSays(story, "ProvedWorse");
  expect(serving(story)).toEqual(["a", "b"]);
  expect(pods(story, "b")).toBe("3/3");
  podsBecomeReady(story, "a");
  expect(stateOf(story.world)).toMatchObject({ phase: "Aborted", stableRevision: "a" });
});
