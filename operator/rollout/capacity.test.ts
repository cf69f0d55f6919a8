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
  type Story,
  settle,
  specAsksFor,
  storyOf,
  timePasses,
} from "./model/story.ts";
import { copyOf, judged, phaseOf, stateOf, step, worldAtRest } from "./model/world.ts";
import { take } from "./phases.ts";

const halfAndAll = { steps: [step("half", 50), step("all", 100)] };

describe("scaling during a rollout", () => {
  it("is followed by both versions at a weight", () => {
    const story = storyOf(
      worldAtRest({ plan: { steps: [step("quarter", 25), step("all", 100)] }, needed: 3 }),
    );
    canaryAt(story, 0);
    story.world.needed = 6;
    podsBecomeReady(story);
    expect(story.world.revisions).toMatchObject({ a: { wanted: 6, ready: 6 }, b: { wanted: 2, ready: 2 } });
    expect(phaseOf(story.world)).toBe("Holding");
  });

  const quarter = { steps: [step("quarter", 25), step("all", 100)] };

  it.each([
    ["in the middle", false],
    ["while paused", true],
  ])("up and down is followed by both versions %s", (_, paused) => {
    const story = storyOf(worldAtRest({ plan: quarter, needed: 4 }));
    canaryAt(story, 0);
    planBecomes(story, { paused });
    const sizes = [8, 4, 1, 8].map((needed) => {
      story.world.needed = needed;
      podsBecomeReady(story);
      const { a, b } = story.world.revisions;
      return [a?.wanted, a?.ready, b?.wanted, b?.ready];
    });
    expect(sizes).toEqual([
      [8, 8, 3, 3],
      [4, 4, 2, 2],
      // A quarter of the traffic needs three pods beside one.
      [3, 3, 1, 1],
      [8, 8, 3, 3],
    ]);
    expect(stateOf(story.world)).toMatchObject({ phase: "Holding", stepName: "quarter", weight: 25 });
    expect(story.traffic.at(-1)).toEqual(["a", "b"]);
  });

  it("down above half leaves enough stable pods, and the canary follows", () => {
    const story = storyOf(worldAtRest({ plan: { steps: [step("most", 75), step("all", 100)] }, needed: 8 }));
    canaryAt(story, 0);
    expect(story.world.revisions).toMatchObject({ a: { wanted: 3 }, b: { wanted: 8 } });
    story.world.needed = 4;
    podsBecomeReady(story);
    expect(story.world.revisions).toMatchObject({ a: { wanted: 2, ready: 2 }, b: { wanted: 4, ready: 4 } });
  });

  it("is the stable version's alone where the new one crashes on its way in, up and down again", () => {
    const story = storyOf(worldAtRest({ plan: quarter, needed: 4 }));
    specAsksFor(story, "b");
    const sizes = [8, 4].map((needed) => {
      story.world.needed = needed;
      podsBecomeReady(story, "a");
      const { a, b } = story.world.revisions;
      return [a?.wanted, a?.ready, b?.wanted, b?.ready];
    });
    // It never was ready, so nobody is led to it, and no stable pod makes room for it.
    expect(sizes).toEqual([
      [8, 8, 3, 0],
      [4, 4, 2, 0],
    ]);
    podFault(story, "b", "CrashLoop");
    expect(stateOf(story.world)).toMatchObject({ phase: "Aborted", failed: { reason: "CrashLoop" } });
    story.world.needed = 8;
    podsBecomeReady(story);
    expect(story.world.revisions).toMatchObject({ a: { wanted: 8, ready: 8 }, b: { wanted: 0 } });
    expect(story.traffic.every((one) => one.join() === "a")).toBe(true);
  });

  it("does not keep a version that crashes while it serves, whatever is asked for meanwhile", () => {
    const story = storyOf(worldAtRest({ plan: halfAndAll, needed: 4 }));
    canaryAt(story, 0);
    story.world.needed = 8;
    podFault(story, "b", "CrashLoop");
    podsBecomeReady(story);
    expect(phaseOf(story.world)).toBe("Aborted");
    story.world.needed = 4;
    podsBecomeReady(story);
    expect(story.world.revisions).toMatchObject({ a: { wanted: 4, ready: 4 }, b: { wanted: 0 } });
  });

  it("at 100 % is the canary's, and until its new pods are ready the waiting stable pods help out", () => {
    const story = storyOf(worldAtRest({ plan: halfAndAll, needed: 2 }));
    canaryAt(story, 1);
    expect(story.world.services.main).toEqual(["b"]);
    story.world.needed = 3;
    settle(story);
    expect(story.world.services.main).toEqual(["a", "b"]);
    podsBecomeReady(story);
    expect(story.world.services.main).toEqual(["b"]);
    expect(story.world.revisions).toMatchObject({ b: { wanted: 3, ready: 3 } });
  });

  it("to more at rest, after a rollback and while old pods drain", () => {
    const story = storyOf(worldAtRest({ plan: halfAndAll, needed: 2 }));
    story.world.needed = 5;
    podsBecomeReady(story);
    expect(story.world.revisions).toMatchObject({ a: { wanted: 5, ready: 5 } });
    story.world.needed = 1;
    settle(story);
    expect(story.world.revisions).toMatchObject({ a: { wanted: 1 } });
  });
});

describe("a plan of many steps on three pods", () => {
  it("has at each step the pods that come nearest to its weight, and never fewer than three that serve", () => {
    const weights = [20, 40, 60, 80, 90, 100];
    const steps = weights.map((weight) => step(`at-${weight}`, weight));
    const story = storyOf(worldAtRest({ plan: { steps }, needed: 3 }));
    const sizes = weights.map((weight, index) => {
      if (index === 0) canaryAt(story, 0);
      else {
        timePasses(story, 6);
        evidenceSays(story, "ProvedBelow");
        podsBecomeReady(story);
        evidenceSays(story, "Undecided");
      }
      expect(stateOf(story.world)).toMatchObject({ phase: "Holding", weight });
      const { a, b } = story.world.revisions;
      return [a?.ready, b?.ready, story.world.services.main.join("+")];
    });
    expect(sizes).toEqual([
      [4, 1, "a+b"],
      [3, 2, "a+b"],
      [2, 3, "a+b"],
      // Three of four is the nearest that the pods can give; finer weights are a gateway's.
      [1, 3, "a+b"],
      [1, 3, "a+b"],
      [1, 3, "b"],
    ]);
  });
});

describe("a weight finer than the pods", () => {
  const tenth = { steps: [step("tenth", 10), step("all", 100)] };

  it("AddPods: the added stable pods are ready before the canary serves, and go when they are not needed", () => {
    const story = storyOf(worldAtRest({ plan: tenth, needed: 2 }));
    specAsksFor(story, "b");
    expect(story.world.revisions).toMatchObject({ a: { wanted: 9 }, b: { wanted: 1 } });
    podsBecomeReady(story, "b");
    expect(story.last?.hold?.reason).toBe("StableNotReady");
    expect(story.world.services.main).toEqual(["a"]);
    podsBecomeReady(story);
    expect(phaseOf(story.world)).toBe("Holding");
    commanded(story, { action: "abort", revision: "b" });
    expect(story.world.revisions).toMatchObject({ a: { wanted: 2, ready: 2 } });
  });

  it("AddPods: a stable version that cannot grow does not keep its own cure out for ever", () => {
    const story = storyOf(worldAtRest({ plan: tenth, needed: 2 }));
    specAsksFor(story, "b");
    podsBecomeReady(story, "b");
    timePasses(story, 9);
    expect(phaseOf(story.world)).toBe("Preparing");
    timePasses(story, 1);
    expect(phaseOf(story.world)).toBe("Holding");
  });

  it("AddPods: the deadline of the stable pods does not count for the canary's", () => {
    const story = storyOf(worldAtRest({ plan: tenth, needed: 2 }));
    specAsksFor(story, "b");
    podsBecomeReady(story, "b");
    timePasses(story, 9);
    podsFail(story, "b");
    timePasses(story, 5);
    expect(phaseOf(story.world)).toBe("Preparing");
    podsBecomeReady(story, "b");
    expect(phaseOf(story.world)).toBe("Holding");
  });

  it("AddPods within few pods: as near as they allow, and the summary says so", () => {
    const story = storyOf(worldAtRest({ plan: tenth, needed: 2, maxPods: 5 }));
    specAsksFor(story, "b");
    podsBecomeReady(story);
    expect(story.world.revisions).toMatchObject({ a: { wanted: 4 }, b: { wanted: 1 } });
    expect(story.last?.summary).toContain("the nearest that maxReplicas and budgets allow");
  });

  it("Exceed: one canary pod beside the stable ones", () => {
    const story = storyOf(
      worldAtRest({ plan: { ...tenth, traffic: { whenTooFewPods: "Exceed" } }, needed: 2 }),
    );
    specAsksFor(story, "b");
    podsBecomeReady(story);
    expect(story.world.revisions).toMatchObject({ a: { wanted: 2 }, b: { wanted: 1 } });
    expect(phaseOf(story.world)).toBe("Holding");
  });
});

describe("without room for a surge", () => {
  it("one pod to spare is enough to replace them all, a few at a time", () => {
    const story = storyOf(worldAtRest({ plan: halfAndAll, needed: 4, maxPods: 5 }));
    specAsksFor(story, "b");
    podsBecomeReady(story);
    expect(stateOf(story.world)).toMatchObject({ phase: "Holding", weight: 50 });
    timePasses(story, 5);
    evidenceSays(story, "ProvedBelow");
    podsBecomeReady(story);
    expect(story.world.services.main).toEqual(["b"]);
    expect(story.world.revisions).toMatchObject({ a: { wanted: 1 }, b: { wanted: 4, ready: 4 } });
    timePasses(story, 5);
    evidenceSays(story, "ProvedBelow");
    expect(stateOf(story.world)).toMatchObject({ phase: "Stable", stableRevision: "b" });
  });

  it("a pause stops the exchange of pods where it is", () => {
    const story = storyOf(worldAtRest({ plan: { steps: [step("all", 100)] }, needed: 4, maxPods: 5 }));
    specAsksFor(story, "b");
    podsBecomeReady(story, "a");
    const { b } = story.world.revisions;
    if (!b) throw new Error("no canary");
    Object.assign(b, { ready: 1, unready: 0 });
    settle(story);
    expect(story.world.revisions).toMatchObject({ a: { wanted: 3 }, b: { wanted: 2, ready: 1 } });
    planBecomes(story, { paused: true });
    podsBecomeReady(story);
    expect(story.world.revisions).toMatchObject({ a: { wanted: 3 }, b: { wanted: 2, ready: 2 } });
    planBecomes(story, { paused: false });
    podsBecomeReady(story);
    expect(story.world.services.main).toEqual(["b"]);
  });

  it("no pod to spare starts nothing and says what to raise", () => {
    const story = storyOf(worldAtRest({ plan: halfAndAll, needed: 4, maxPods: 4 }));
    const { hold } = specAsksFor(story, "b");
    expect(phaseOf(story.world)).toBe("Stable");
    expect(hold).toMatchObject({
      reason: "NoRoom",
      message: expect.stringContaining("raise spec.budget.cpu to fit at least 5."),
    });
  });

  it("room that is lost on the way holds the canary, and is not held against it", () => {
    const story = storyOf(worldAtRest({ plan: halfAndAll, needed: 4, maxPods: 6 }));
    specAsksFor(story, "b");
    podsBecomeReady(story);
    story.world.maxPods = 4;
    timePasses(story, 5);
    evidenceSays(story, "ProvedBelow");
    podsBecomeReady(story);
    timePasses(story, 600);
    expect(stateOf(story.world)).toMatchObject({ phase: "Stepping", stepName: "all" });
    expect(story.last?.hold?.reason).toBe("NoRoom");
    story.world.maxPods = 8;
    podsBecomeReady(story);
    expect(stateOf(story.world)).toMatchObject({ phase: "Holding", weight: 100 });
  });
});

/** Stored by itself, as by an operator before this one, and then a pod of the promoted version has failed. */
function committedShortOfPods(): Story {
  const story = storyOf(worldAtRest({ plan: halfAndAll, needed: 3 }));
  canaryAt(story, 1);
  const { world } = story;
  world.state = take(stateOf(world), "Proved", world.nowMs, {
    stableRevision: "b",
    waitingSince: new Date(world.nowMs).toISOString(),
  });
  podsFail(story, "b", 1);
  return story;
}

describe("a promotion", () => {
  it("keeps the old pods until it is stored, though they serve nobody", () => {
    const story = storyOf(worldAtRest({ plan: halfAndAll, needed: 3 }));
    canaryAt(story, 1);
    timePasses(story, 5);
    story.world.verdicts = judged(story.world, "ProvedBelow");
    const commit = reconcile(story);
    expect(commit.state).toMatchObject({ phase: "Draining", stableRevision: "b" });
    expect(commit.replicas).toEqual({ a: 3, b: 3 });
    // Told once the promotion is stored: a status that is lost in between leads back to the version whose pods are still kept.
    expect(commit.tracks).toEqual({ b: "canary" });
    settle(story);
    expect(phaseOf(story.world)).toBe("Stable");
    expect(story.last?.tracks).toEqual({ b: "production" });
    expect(story.world.revisions).toMatchObject({ a: { wanted: 0 } });
  });

  it("keeps them until the new version has its capacity", () => {
    const story = committedShortOfPods();
    expect(phaseOf(story.world)).toBe("Promoting");
    expect(story.world.revisions).toMatchObject({ a: { wanted: 3 }, b: { wanted: 3, ready: 2 } });
    podsBecomeReady(story);
    expect(phaseOf(story.world)).toBe("Stable");
    expect(story.world.revisions).toMatchObject({ a: { wanted: 0 } });
  });

  it("does not keep them for ever, nor a new spec waiting", () => {
    const story = committedShortOfPods();
    const stuck = copyOf(story.world);
    timePasses(story, 10);
    expect(phaseOf(story.world)).toBe("Stable");
    const other = storyOf(stuck);
    specAsksFor(other, "c");
    expect(stateOf(stuck)).toMatchObject({ phase: "Preparing", stableRevision: "b", canaryRevision: "c" });
  });
});

describe("no pods needed", () => {
  it("starts no canary until there are some", () => {
    const story = storyOf(worldAtRest({ plan: halfAndAll, needed: 0 }));
    expect(specAsksFor(story, "b").hold?.reason).toBe("NoPodsNeeded");
    timePasses(story, 600);
    story.world.needed = 2;
    podsBecomeReady(story);
    expect(stateOf(story.world)).toMatchObject({
      phase: "Holding",
      stableRevision: "a",
      canaryRevision: "b",
    });
  });

  it("halts a canary without blaming it, and it goes on afterwards", () => {
    const story = storyOf(worldAtRest({ plan: halfAndAll, needed: 2 }));
    canaryAt(story, 0);
    story.world.needed = 0;
    settle(story);
    expect(story.world.revisions).toMatchObject({ a: { wanted: 0 }, b: { wanted: 0 } });
    expect(story.last?.hold?.reason).toBe("NoPodsNeeded");
    timePasses(story, 60);
    story.world.needed = 2;
    podsBecomeReady(story);
    expect(phaseOf(story.world)).toBe("Holding");
    expect(story.last?.hold?.reason).not.toBe("NoPodsNeeded");
  });

  it("lets an abort end", () => {
    const story = storyOf(worldAtRest({ plan: halfAndAll, needed: 2 }));
    canaryAt(story, 1);
    story.world.needed = 0;
    commanded(story, { action: "abort", revision: "b" });
    expect(phaseOf(story.world)).toBe("Aborted");
  });
});

describe("pods that lose their readiness", () => {
  it("at 100 % are made up for by the stable pods that wait", () => {
    const story = storyOf(worldAtRest({ plan: halfAndAll, needed: 3 }));
    canaryAt(story, 1);
    podsFail(story, "b", 1);
    expect(story.world.services.main).toEqual(["a", "b"]);
    podsBecomeReady(story);
    expect(story.world.services.main).toEqual(["b"]);
  });

  it("of the stable version do not keep its cure out", () => {
    const story = storyOf(worldAtRest({ plan: halfAndAll, needed: 3 }));
    podsFail(story, "a", 3);
    specAsksFor(story, "b");
    podsBecomeReady(story, "b");
    expect(phaseOf(story.world)).toBe("Holding");
    commanded(story, { action: "promote", revision: "b", full: true });
    podsBecomeReady(story, "b");
    expect(stateOf(story.world)).toMatchObject({ phase: "Stable", stableRevision: "b" });
  });

  const freeze = { name: "weekend", promote: "Refuse" as const, untilMs: undefined };
  const frozen = { fleet: { freeze, order: undefined, limit: undefined } };
  const routed = { traffic: { router: "Gateway", route: { parentRefs: [{ name: "public" }] } } };
  it.each<[string, object, Partial<Story["world"]>, string]>([
    ["by a freeze", {}, frozen, "Preparing"],
    ["by a gateway before it serves", routed, { refusal: "no such listener" }, "Preparing"],
    ["by a gateway on its way to a step", routed, { slowGateway: true }, "Stepping"],
  ])(
    "for a moment, where the canary was ready and held %s, are no lasting wait",
    (_name, plan, held, phase) => {
      const story = storyOf(worldAtRest({ needed: 4, plan: { ...halfAndAll, ...plan } }));
      specAsksFor(story, "b");
      Object.assign(story.world, held);
      podsBecomeReady(story);
      timePasses(story, 60);
      expect([phaseOf(story.world), stateOf(story.world).waitingSince]).toEqual([phase, undefined]);
      podsFail(story, "b", 1);
      timePasses(story, 9);
      expect(phaseOf(story.world)).toBe(phase);
      timePasses(story, 1);
      expect(stateOf(story.world).failed?.reason).toBe("NeverReady");
    },
  );

  it("keeps stable pods until the canary's are ready", () => {
    const story = storyOf(
      worldAtRest({ plan: { steps: [step("quarter", 25), step("most", 75), step("all", 100)] } }),
    );
    canaryAt(story, 0);
    timePasses(story, 5);
    evidenceSays(story, "ProvedBelow");
    expect(story.world.revisions).toMatchObject({ a: { wanted: 3 }, b: { wanted: 3, ready: 1 } });
    expect(story.last?.desiredWeights).toEqual({ a: 75, b: 25 });
    podsBecomeReady(story);
    expect(story.world.revisions).toMatchObject({ a: { wanted: 1 }, b: { wanted: 3, ready: 3 } });
    expect(story.last?.desiredWeights).toEqual({ a: 25, b: 75 });
  });
});
