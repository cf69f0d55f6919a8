import { describe, expect, it } from "vitest";
import { PHASES, type Phase, type RolloutStatus } from "../api/v1alpha1/status.ts";
import { T0 } from "./model/world.ts";
import type { Move } from "./moves/move.ts";
import { compact, TRANSITIONS, type Transition, take } from "./phases.ts";
import { podShares, shareText } from "./shares.ts";

const at = (phase: Phase): RolloutStatus => ({
  phase,
  phaseSince: "2026-01-01T00:00:00.000Z",
  stableRevision: "a",
  canaryRevision: "b",
  stepName: "half",
  weight: 50,
  servedSince: "2026-01-01T00:00:00.000Z",
  evidenceSince: "2026-01-01T00:00:00.000Z",
  heldFor: "HoldTime",
});

const all = Object.keys(TRANSITIONS) as Transition[];
const startsAt = (transition: Transition): readonly Phase[] => TRANSITIONS[transition].from;

describe("the phase table", () => {
  it("throws on a transition that does not start at the present phase", () => {
    for (const transition of all) {
      for (const phase of PHASES) {
        const attempt = () => take(at(phase), transition, T0).phase;
        if (startsAt(transition).includes(phase)) expect(attempt()).toBe(TRANSITIONS[transition].to);
        else expect(attempt).toThrow(`${transition} does not start at phase ${phase}`);
      }
    }
  });

  it("does not compile a move whose transition starts elsewhere", () => {
    const legal: Move<"Holding"> = { kind: "Take", transition: "Proved" };
    // @ts-expect-error Drained starts at Draining.
    const illegal: Move<"Holding"> = { kind: "Take", transition: "Drained" };
    expect([legal.kind, illegal.kind]).toEqual(["Take", "Take"]);
  });

  it("comes to rest from every phase", () => {
    const rests = new Set<Phase>(["Stable", "Aborted"]);
    for (let rounds = 0; rounds < PHASES.length; rounds += 1)
      for (const { from, to } of Object.values(TRANSITIONS))
        if (rests.has(to)) for (const phase of from) rests.add(phase);
    expect([...rests].sort()).toEqual([...PHASES].sort());
  });

  it("drops the clocks of the phase that ends, and what speaks of a canary with the canary", () => {
    expect(take(at("Holding"), "StepPassed", T0)).toEqual({
      phase: "Stepping",
      phaseSince: "2026-01-01T00:00:00.000Z",
      stableRevision: "a",
      canaryRevision: "b",
      stepName: "half",
      weight: 50,
      evidenceSince: "2026-01-01T00:00:00.000Z",
    });
    expect(take(at("Aborting"), "Returned", T0)).toEqual({
      phase: "Stable",
      phaseSince: "2026-01-01T00:00:00.000Z",
      stableRevision: "a",
    });
  });
});

describe("what a transition keeps", () => {
  const since = "2026-01-01T00:00:00.000Z";
  const restart = { before: since, left: 2, since };
  const failed = { revision: "c", reason: "Alert", message: "m", time: since };

  it("is a restart while the stable version is alone", () => {
    expect(take({ ...at("Draining"), restart }, "Drained", T0).restart).toEqual(restart);
    expect(take({ ...at("Stable"), restart }, "Started", T0).restart).toBeUndefined();
  });

  it("is the mark of a failure, and what was last seen of the route", () => {
    const marked = { ...at("Holding"), failed, routedWeight: 50, routedSince: since };
    expect(take(marked, "StepPassed", T0)).toMatchObject({ failed, routedWeight: 50, routedSince: since });
  });

  it("is what speaks of the version before, while that is watched", () => {
    const watched = { ...at("Promoting"), previousRevision: "p" };
    const next = take(watched, "Committed", T0);
    expect(next).toMatchObject({ previousRevision: "p", evidenceSince: since });
    expect(next).not.toHaveProperty("canaryRevision");
    expect(take(watched, "LetGo", T0)).not.toHaveProperty("previousRevision");
  });

  it("is no field without a value", () => {
    expect(Object.keys(compact({ phase: "Stable", phaseSince: since, failed: undefined }))).toEqual([
      "phase",
      "phaseSince",
    ]);
  });
});

describe("what was stable before", () => {
  const served = (from: RolloutStatus, ...more: [Transition, Partial<RolloutStatus>?]) =>
    take(from, more[0], T0, more[1]).served;

  it("is remembered from a promotion on, newest first and once", () => {
    const holding = { ...at("Holding"), served: ["y", "a", "b"] };
    expect(served(holding, "Proved", { stableRevision: "b" })).toEqual(["a", "y"]);
    expect(served(at("Holding"), "StepPassed")).toBeUndefined();
  });

  it("is no version that failed, nor one that was promoted and taken back", () => {
    const failed = { revision: "y", reason: "Alert", message: "m", time: at("Holding").phaseSince };
    expect(served({ ...at("Stable"), served: ["y", "z"] }, "Started", { failed })).toEqual(["z"]);
    const watching = { ...at("Watching"), stableRevision: "b", previousRevision: "a", served: ["a"] };
    expect(served(watching, "Recalled", { stableRevision: "a", canaryRevision: "b" })).toBeUndefined();
  });

  it("are at most twenty versions", () => {
    const many = Array.from({ length: 20 }, (_, index) => `r${index}`);
    const next = served({ ...at("Holding"), served: many }, "Proved", { stableRevision: "b" });
    expect(next).toEqual(["a", ...many.slice(0, 19)]);
  });
});

describe("shares of pods", () => {
  const pods = (ready: number) => ({
    exists: true,
    wantedReplicas: ready,
    pods: ready,
    ready,
    terminating: 0,
    image: "",
    faults: [],
    createdMs: 0,
  });

  it("count ready pods behind the Service", () => {
    expect(podShares(["a", "b"], { a: pods(10), b: pods(1), c: pods(9) })).toEqual({
      a: 1000 / 11,
      b: 100 / 11,
    });
    expect(podShares(["a"], {})).toEqual({ a: 0 });
  });

  it.each([
    [100 / 11, "9.1%"],
    [50, "50%"],
    [0, "0%"],
  ])("%d is written %s", (percent, text) => {
    expect(shareText(percent)).toBe(text);
  });
});
