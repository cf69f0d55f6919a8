import { describe, expect, it } from "vitest";
import {
  canaryAt,
  commanded,
  evidenceSays,
  planBecomes,
  podFault,
  podsBecomeReady,
  podsFail,
  reconcile,
  settle,
  specAsksFor,
  storyOf,
  timePasses,
} from "./model/story.ts";
import { judged, phaseOf, stateOf, step, worldAtRest } from "./model/world.ts";

const plan = { steps: [step("quarter", 25), step("half", 50), step("most", 75), step("all", 100)] };
const given = (more: Parameters<typeof worldAtRest>[0] = {}) =>
  storyOf(worldAtRest({ plan, needed: 4, ...more }));

describe("an abort up to 50 %", () => {
  it("takes the canary out of the Service in the very pass of the verdict", () => {
    const story = given();
    canaryAt(story, 1);
    story.world.verdicts = judged(story.world, "ProvedWorse");
    const outcome = reconcile(story);
    expect(outcome.services?.main).toEqual(["a"]);
    expect(outcome.replicas).toEqual({ a: 4, b: 0 });
    expect(outcome.wakeAtMs).toBe(story.world.nowMs);
    expect(outcome.decisions).toMatchObject([
      { action: "Rollback", reason: "ErrorsProvedWorse", refused: [expect.any(String)] },
    ]);
  });

  it("waits a short while for a stable pod that is not ready, then goes without it", () => {
    const story = given();
    canaryAt(story, 1);
    podsFail(story, "a", 1);
    evidenceSays(story, "ProvedWorse");
    expect(phaseOf(story.world)).toBe("Aborting");
    expect(story.world.services.main).toEqual(["a", "b"]);
    expect(story.world.revisions).toMatchObject({ a: { ready: 3 }, b: { wanted: 1 } });
    expect(story.last?.wakeAtMs).toBe(story.world.nowMs + 30_000);
    timePasses(story, 0.5);
    expect(story.world.services.main).toEqual(["a"]);
    expect(phaseOf(story.world)).toBe("Aborted");
  });

  it.each<[string, object, (story: ReturnType<typeof given>) => void]>([
    ["for lack of room", { maxPods: 5 }, (story) => canaryAt(story, 1)],
    [
      "on the way to a larger one",
      { maxPods: 5, plan: { strategy: "Immediate" } },
      (story) => {
        specAsksFor(story, "b");
        const { b } = story.world.revisions;
        if (b) Object.assign(b, { ready: 1, unready: 0 });
        settle(story);
      },
    ],
  ])("waits up to progressDeadline for stable pods that it gave up %s", (_, more, happens) => {
    const story = given(more);
    happens(story);
    expect(stateOf(story.world).weight).toBeLessThanOrEqual(50);
    expect(story.world.revisions.a?.wanted).toBeLessThan(4);
    commanded(story, { action: "abort", revision: "b" });
    timePasses(story, 9);
    expect(phaseOf(story.world)).toBe("Aborting");
    expect(story.world.services.main).toEqual(["a", "b"]);
    timePasses(story, 1);
    expect(story.world.services.main).toEqual(["a"]);
  });

  it("leaves a canary that serves as long as no stable pod does", () => {
    const story = given();
    canaryAt(story, 1);
    podsFail(story, "a", 4);
    commanded(story, { action: "abort", revision: "b" });
    timePasses(story, 60);
    expect(story.world.services.main).toEqual(["a", "b"]);
    podsBecomeReady(story, "a");
    expect(phaseOf(story.world)).toBe("Aborted");
  });
});

describe("an abort above 50 %", () => {
  it("gives the traffic back as fast as stable pods are ready", () => {
    const story = given();
    canaryAt(story, 2);
    expect(story.world.revisions).toMatchObject({ a: { wanted: 2, ready: 2 }, b: { wanted: 4, ready: 4 } });
    evidenceSays(story, "ProvedWorse");
    expect(story.world.revisions).toMatchObject({ a: { wanted: 4, ready: 2 }, b: { wanted: 2, ready: 2 } });
    expect(story.last?.desiredWeights).toEqual({ a: 50, b: 50 });
    expect(story.last?.hold?.reason).toBe("StableNotReady");
    const { a } = story.world.revisions;
    if (!a) throw new Error("no stable revision");
    a.ready += 1;
    a.unready -= 1;
    settle(story);
    expect(story.world.revisions).toMatchObject({ b: { wanted: 1 } });
    podsBecomeReady(story, "a");
    expect(story.world.services.main).toEqual(["a"]);
    expect(phaseOf(story.world)).toBe("Aborted");
  });

  it("ends after progressDeadline with the stable pods there are", () => {
    const story = given();
    canaryAt(story, 2);
    evidenceSays(story, "ProvedWorse");
    timePasses(story, 9);
    expect(phaseOf(story.world)).toBe("Aborting");
    timePasses(story, 1);
    expect(story.world.services.main).toEqual(["a"]);
    expect(phaseOf(story.world)).toBe("Aborted");
  });

  it("is at once at 100 %, where the stable pods wait beside the Service", () => {
    const story = storyOf(worldAtRest({ plan: { steps: [step("half", 50), step("all", 100)] } }));
    canaryAt(story, 1);
    expect(story.world.services.main).toEqual(["b"]);
    expect(story.world.revisions).toMatchObject({ a: { wanted: 3, ready: 3 } });
    story.world.verdicts = judged(story.world, "ProvedWorse");
    expect(reconcile(story).services?.main).toEqual(["a"]);
  });

  it("does not let the canary back in once it is out, though its pods are still seen", () => {
    const story = given({ slowDeployments: true });
    story.world.slowDeployments = false;
    canaryAt(story, 1);
    story.world.slowDeployments = true;
    story.world.verdicts = judged(story.world, "ProvedWorse");
    reconcile(story);
    podsFail(story, "a", 2);
    expect(story.world.revisions).toMatchObject({ b: { wanted: 0, ready: 4 } });
    expect(story.world.services.main).toEqual(["a"]);
  });
});

describe("container faults", () => {
  it.each(["CrashLoop", "OOMKilled", "HeapExhausted", "BadNodeOptions", "ImagePull", "ConfigError"] as const)(
    "%s before the canary serves rolls back under its own name",
    (reason) => {
      const story = given();
      specAsksFor(story, "b");
      podFault(story, "b", reason);
      expect(stateOf(story.world)).toMatchObject({ phase: "Aborted", failed: { revision: "b", reason } });
      expect(story.traffic).toEqual([["a"]]);
    },
  );

  it("waits as long as a fault may still be a hiccup, and looks again when it may not", () => {
    const story = given();
    specAsksFor(story, "b");
    const outcome = podFault(story, "b", "ImagePull", 30_000);
    expect(phaseOf(story.world)).toBe("Preparing");
    expect(outcome.wakeAtMs).toBe(story.world.nowMs + 30_000);
    expect(outcome.summary).toContain("it is ImagePull");
    timePasses(story, 0.5);
    expect(stateOf(story.world).failed?.reason).toBe("ImagePull");
  });

  it("rolls back a crash at 100 % even under onFailure Pause and while paused", () => {
    const story = given();
    canaryAt(story, 3);
    planBecomes(story, { onFailure: "Pause", paused: true });
    podFault(story, "b", "OOMKilled");
    podsBecomeReady(story, "a");
    expect(stateOf(story.world)).toMatchObject({ phase: "Aborted", failed: { reason: "OOMKilled" } });
  });

  it("of the stable version never touch the canary", () => {
    const story = given();
    canaryAt(story, 0);
    podFault(story, "a", "OOMKilled");
    expect(phaseOf(story.world)).toBe("Holding");
  });
});

describe("a canary that is never ready", () => {
  it("is rolled back at progressDeadline, not before", () => {
    const story = given();
    const outcome = specAsksFor(story, "b");
    expect(outcome.wakeAtMs).toBe(story.world.nowMs + 600_000);
    timePasses(story, 9.9);
    expect(phaseOf(story.world)).toBe("Preparing");
    timePasses(story, 0.1);
    expect(stateOf(story.world)).toMatchObject({ phase: "Aborted", failed: { reason: "NeverReady" } });
  });

  it("is rolled back as well when it loses its readiness while it holds", () => {
    const story = given();
    canaryAt(story, 1);
    podsFail(story, "b", 2);
    timePasses(story, 9);
    expect(story.last?.hold?.reason).toBe("PodsNotReady");
    timePasses(story, 1);
    expect(stateOf(story.world).failed?.reason).toBe("LostReadiness");
  });

  it("starts a new wait each time its pods came back", () => {
    const story = given();
    canaryAt(story, 1);
    podsFail(story, "b", 1);
    timePasses(story, 9);
    podsBecomeReady(story);
    podsFail(story, "b", 1);
    timePasses(story, 9);
    expect(phaseOf(story.world)).toBe("Holding");
  });
});

describe("pods without a place in the cluster", () => {
  it.each(["Unschedulable", "PodsRefused", "NotCreated"] as const)(
    "are not held against a canary that holds: %s",
    (reason) => {
      const story = given();
      canaryAt(story, 1);
      story.world.needed = 5;
      settle(story);
      podFault(story, "b", reason, Number.POSITIVE_INFINITY);
      timePasses(story, 600);
      expect(phaseOf(story.world)).toBe("Holding");
      expect(story.last?.hold).toMatchObject({
        reason: "PodsNotReady",
        message: expect.stringContaining(`it is ${reason}`),
      });
    },
  );

  it("are held against one that never was ready", () => {
    const story = given();
    specAsksFor(story, "b");
    podFault(story, "b", "Unschedulable", Number.POSITIVE_INFINITY);
    timePasses(story, 10);
    expect(stateOf(story.world).failed).toMatchObject({
      reason: "NeverReady",
      message: expect.stringContaining("it is Unschedulable"),
    });
  });
});

describe("onFailure: Pause", () => {
  it("holds a canary that is proved worse and says what can be done", () => {
    const story = given();
    canaryAt(story, 0);
    planBecomes(story, { onFailure: "Pause" });
    const outcome = evidenceSays(story, "ProvedWorse");
    timePasses(story, 600);
    expect(phaseOf(story.world)).toBe("Holding");
    expect(outcome.hold).toMatchObject({ reason: "ProvedWorse" });
    expect(story.decisions.at(-1)).toMatchObject({ action: "Hold", reason: "ProvedWorse" });
    expect(story.decisions.filter(({ action }) => action === "Hold")).toHaveLength(1);
    commanded(story, { action: "abort", revision: "b" });
    expect(stateOf(story.world).failed?.reason).toBe("Command");
  });
});

describe("alerts", () => {
  const message = "errors above 5%";

  it("roll back a canary that serves", () => {
    const story = given();
    canaryAt(story, 0);
    story.world.alerts = {
      hold: undefined,
      rollback: { name: "errors", message, sinceMs: story.world.nowMs },
    };
    settle(story);
    expect(stateOf(story.world).failed?.reason).toBe("Alert");
  });

  it("do not roll back a cure for what fired before it served", () => {
    const story = given();
    story.world.alerts = {
      hold: undefined,
      rollback: { name: "errors", message, sinceMs: story.world.nowMs },
    };
    story.world.nowMs += 60_000;
    canaryAt(story, 0);
    expect(phaseOf(story.world)).toBe("Holding");
  });

  it("that hold stop every clock and step, and let both go on afterwards", () => {
    const story = given();
    story.world.alerts = { hold: { name: "busy", message }, rollback: undefined };
    specAsksFor(story, "b");
    expect(story.last?.hold?.reason).toBe("AlertHold");
    expect(phaseOf(story.world)).toBe("Stable");
    story.world.alerts = { hold: undefined, rollback: undefined };
    settle(story);
    story.world.alerts = { hold: { name: "busy", message }, rollback: undefined };
    settle(story);
    timePasses(story, 600);
    podsBecomeReady(story);
    expect(phaseOf(story.world)).toBe("Preparing");
    story.world.alerts = { hold: undefined, rollback: undefined };
    podsBecomeReady(story);
    expect(phaseOf(story.world)).toBe("Holding");
  });
});
