import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Router } from "../../context.ts";
import { servedBy } from "../../model/served.ts";
import {
  canaryAt,
  commanded,
  evidenceSays,
  planBecomes,
  podsBecomeReady,
  podsFail,
  reconcile,
  type Story,
  settle,
  specAsksFor,
  storyOf,
  timePasses,
} from "../../model/story.ts";
import { phaseOf, stateOf, step, worldAtRest } from "../../model/world.ts";
import { ROUTERS } from "../index.ts";

const STEPS = [step("quarter", 25), step("half", 50), step("most", 75), step("all", 100)];

/**
 * What every router promises, as tests of the describe block that calls this. One that the resource does not know by name is tried in the place of
 * one that splits by the same means: by the pods behind a Service (Replicas), or by the weights of a route (Gateway).
 */
export function keepsItsPromises(place: keyof typeof ROUTERS, router: Router): void {
  const known: Record<string, Router> = ROUTERS;
  const before = ROUTERS[place];
  beforeAll(() => {
    known[place] = router;
  });
  afterAll(() => {
    known[place] = before;
  });

  const traffic = { router: place };
  const given = (more: Parameters<typeof worldAtRest>[0] = {}): Story =>
    storyOf(worldAtRest({ needed: 4, plan: { traffic, steps: STEPS }, ...more }));
  const served = ({ world }: Story) => servedBy(world);
  const shareOf = (story: Story, revision: string): number => served(story).revisions[revision] ?? 0;

  /** What clients see of each step, pass by pass and pod by pod. */
  function watched(story: Story, look: (story: Story) => void): void {
    for (let rounds = 0; rounds < 60; rounds += 1) {
      const state = () =>
        JSON.stringify([story.world.state, story.world.revisions, story.world.route, story.world.beside]);
      const before = state();
      reconcile(story);
      look(story);
      const next = Object.values(story.world.revisions).find((pods) => pods.unready > 0);
      if (next) {
        next.unready -= 1;
        next.ready += 1;
        look(story);
      } else if (before === state()) return;
    }
    throw new Error("does not settle");
  }

  it("gives each step's weight, and leads nobody to a version without ready pods", () => {
    const story = given();
    specAsksFor(story, "b");
    expect(served(story)).toEqual({ revisions: { a: 100 }, nobody: 0 });
    for (const { weight } of STEPS) {
      watched(story, (now) => expect(served(now).nobody).toBe(0));
      expect(phaseOf(story.world)).toBe("Holding");
      // A pod is the finest share that Replicas knows.
      expect(Math.abs(shareOf(story, "b") - weight)).toBeLessThan(9);
      expect(story.last?.desiredWeights).toEqual({ a: 100 - weight, b: weight });
      story.world.nowMs += 600_000;
      evidenceSays(story, "ProvedBelow");
    }
    const isPromoted = (now: Story) => expect(served(now)).toEqual({ revisions: { b: 100 }, nobody: 0 });
    watched(story, isPromoted);
    timePasses(story, 1);
    watched(story, isPromoted);
    expect(stateOf(story.world)).toMatchObject({ phase: "Stable", stableRevision: "b" });
    expect(story.world.revisions).toMatchObject({ a: { wanted: 0 }, b: { wanted: 4 } });
  });

  it("never moves traffic faster than pods become ready", () => {
    const story = given();
    canaryAt(story, 1);
    evidenceSays(story, "ProvedBelow");
    story.world.nowMs += 600_000;
    watched(story, (now) => {
      const ready = now.world.revisions.b?.ready ?? 0;
      expect(shareOf(now, "b")).toBeLessThanOrEqual(Math.max(50, 25 * ready));
    });
  });

  it.each(STEPS.map(({ weight }, index) => ({ weight, index })))(
    "an abort at $weight % gives all back to the stable version, with nobody unserved",
    ({ index }) => {
      const story = given();
      canaryAt(story, index);
      const before = shareOf(story, "b");
      commanded(story, { action: "abort", revision: "b" });
      watched(story, (now) => {
        expect(served(now).nobody).toBe(0);
        expect(shareOf(now, "b")).toBeLessThanOrEqual(before);
      });
      timePasses(story, 1);
      watched(story, (now) => expect(served(now)).toEqual({ revisions: { a: 100 }, nobody: 0 }));
      expect(phaseOf(story.world)).toBe("Aborted");
      expect(story.world.revisions).toMatchObject({ a: { wanted: 4, ready: 4 }, b: { wanted: 0 } });
    },
  );

  it("an abort ends where not one pod of the canary is left, and where a stable one is missing", () => {
    const story = given();
    canaryAt(story, 1);
    podsFail(story, "b", story.world.revisions.b?.ready);
    expect(served(story)).toEqual({ revisions: { a: 100 }, nobody: 0 });
    podsFail(story, "a", 1);
    commanded(story, { action: "abort", revision: "b" });
    timePasses(story, 1);
    timePasses(story, 1);
    expect(phaseOf(story.world)).toBe("Aborted");
    expect(served(story)).toEqual({ revisions: { a: 100 }, nobody: 0 });
  });

  it("a stable version without a ready pod leaves what there is to the canary, and takes it back", () => {
    const story = given();
    canaryAt(story, 0);
    podsFail(story, "a", 4);
    expect(served(story)).toEqual({ revisions: { b: 100 }, nobody: 0 });
    podsBecomeReady(story);
    expect(shareOf(story, "b")).toBeLessThan(34);
  });

  it("pods of the canary that are not ready take their share of the traffic along", () => {
    const story = given();
    canaryAt(story, 1);
    const ready = story.world.revisions.b?.ready ?? 0;
    podsFail(story, "b", ready - 1);
    expect(shareOf(story, "b")).toBeLessThanOrEqual(25);
    podsBecomeReady(story);
    expect(shareOf(story, "b")).toBe(50);
  });

  it("a pause holds the weight in force", () => {
    const story = given();
    canaryAt(story, 0);
    const before = shareOf(story, "b");
    planBecomes(story, { paused: true });
    timePasses(story, 600);
    evidenceSays(story, "ProvedBelow");
    podsBecomeReady(story);
    expect(shareOf(story, "b")).toBe(before);
  });

  it("another version in the middle starts from no traffic", () => {
    const story = given();
    canaryAt(story, 1);
    specAsksFor(story, "c");
    watched(story, (now) => {
      expect(served(now).nobody).toBe(0);
      if ((now.world.revisions.c?.ready ?? 0) === 0) expect(shareOf(now, "c")).toBe(0);
    });
    timePasses(story, 1);
    watched(story, (now) => expect(served(now).nobody).toBe(0));
    expect(stateOf(story.world)).toMatchObject({ phase: "Holding", canaryRevision: "c", weight: 25 });
    expect(shareOf(story, "b")).toBe(0);
  });

  it("BlueGreen shows the new version to nobody before the switch, to all after it, and to none after an abort", () => {
    const plan = { traffic, steps: STEPS, strategy: "BlueGreen", preview: { hold: "5m" } };
    const story = given({ plan });
    const all = (revision: string) => (now: Story) =>
      expect(served(now)).toEqual({ revisions: { [revision]: 100 }, nobody: 0 });
    specAsksFor(story, "b");
    watched(story, all("a"));
    timePasses(story, 1);
    watched(story, all("a"));
    // Its own Service leads to it while it is looked at.
    expect(story.world).toMatchObject({ services: { canary: ["b"] }, state: { stepName: "preview" } });
    timePasses(story, 5);
    expect(stateOf(story.world)).toMatchObject({ stepName: "all", weight: 100 });
    watched(story, all("b"));
    commanded(story, { action: "abort", revision: "b" });
    watched(story, all("a"));
    timePasses(story, 1);
    watched(story, all("a"));
    expect(phaseOf(story.world)).toBe("Aborted");
  });

  describe("a baseline of the same age", () => {
    const FRESH = "a-baseline";
    const beside = (): Story =>
      given({ plan: { traffic, steps: STEPS, baseline: "SameAge", watchAfter: "0s" } });
    const pods = ({ world }: Story, revision: string): number => world.revisions[revision]?.wanted ?? 0;

    /** Whatever waits for clients to be led elsewhere does so for less than a minute. */
    function waited(story: Story, look: (story: Story) => void): void {
      watched(story, look);
      timePasses(story, 1);
      watched(story, look);
    }

    it("serves beside the canary as much as it, at most half of the rest, and is gone from 100% on", () => {
      const story = beside();
      specAsksFor(story, "b");
      expect([pods(story, FRESH), shareOf(story, FRESH)]).toEqual([pods(story, "b"), 0]);
      for (const { weight } of STEPS) {
        waited(story, (now) => expect(served(now).nobody).toBe(0));
        expect([phaseOf(story.world), stateOf(story.world).weight]).toEqual(["Holding", weight]);
        const share = Math.min(weight, (100 - weight) / 2);
        // A pod is the finest share that Replicas knows.
        expect(Math.abs(shareOf(story, FRESH) - share)).toBeLessThan(9);
        expect(Math.abs((story.last?.desiredWeights[FRESH] ?? 0) - share)).toBeLessThan(9);
        story.world.nowMs += 600_000;
        evidenceSays(story, "ProvedBelow");
      }
      waited(story, (now) => expect(served(now)).toEqual({ revisions: { b: 100 }, nobody: 0 }));
      expect(pods(story, FRESH)).toBe(0);
      expect(stateOf(story.world)).toMatchObject({ phase: "Stable", stableRevision: "b" });
    });

    it.each([0, 1, 2])(
      "at an abort from step %s gives its share back with nobody unserved, and is gone",
      (step) => {
        const story = beside();
        canaryAt(story, step);
        const before = shareOf(story, "b");
        commanded(story, { action: "abort", revision: "b" });
        watched(story, (now) => {
          expect(served(now).nobody).toBe(0);
          expect(shareOf(now, "b")).toBeLessThanOrEqual(before);
        });
        waited(story, (now) => {
          expect(served(now).nobody).toBe(0);
          expect(shareOf(now, "b")).toBe(0);
        });
        expect(served(story)).toEqual({ revisions: { a: 100 }, nobody: 0 });
        expect([phaseOf(story.world), pods(story, FRESH), pods(story, "a")]).toEqual(["Aborted", 0, 4]);
      },
    );

    it("without ready pods leaves its share to others, and gets it back with them", () => {
      const story = beside();
      canaryAt(story, 0);
      podsFail(story, FRESH, story.world.revisions[FRESH]?.ready);
      expect([served(story).nobody, shareOf(story, FRESH)]).toEqual([0, 0]);
      podsBecomeReady(story);
      expect(Math.abs(shareOf(story, FRESH) - 25)).toBeLessThan(9);
    });

    it("that is wanted no more gives its pods back while the canary goes on", () => {
      const story = beside();
      canaryAt(story, 1);
      planBecomes(story, { baseline: "Stable" });
      waited(story, (now) => expect(served(now).nobody).toBe(0));
      expect([phaseOf(story.world), pods(story, FRESH), shareOf(story, "b")]).toEqual(["Holding", 0, 50]);
    });
  });

  it("the first version is behind every Service that selects one", () => {
    const nothing = { main: [], stable: [], canary: [] };
    const story = storyOf(
      worldAtRest({ needed: 2, desired: "a", state: undefined, revisions: {}, services: nothing }),
    );
    planBecomes(story, { traffic: { ...story.world.spec.traffic, ...traffic } });
    podsBecomeReady(story);
    settle(story);
    expect(phaseOf(story.world)).toBe("Stable");
    expect(story.world.services).toMatchObject({ main: ["a"], stable: ["a"] });
    expect(served(story)).toEqual({ revisions: { a: 100 }, nobody: 0 });
  });

  describe("for every number of pods and every weight", () => {
    const broken = (keeps: (needed: number, weight: number, at: ReturnType<Router["split"]>) => boolean) =>
      Array.from({ length: 40 }, (_, index) => index + 1).flatMap((needed) =>
        Array.from({ length: 100 }, (_, index) => index + 1)
          .filter((weight) => !keeps(needed, weight, splitAt(needed, weight)))
          .map((weight) => `${needed} pods at ${weight} %`),
      );
    const splitAt = (needed: number, weight: number) =>
      router.split({ needed, weight, maxPods: 1000, whenTooFewPods: "Exceed" });

    it("the pods of both versions are enough, and the canary's carry its weight", () => {
      const keeps = (needed: number, weight: number, { stable, canary }: ReturnType<Router["split"]>) =>
        stable + canary >= needed && canary * 100 >= needed * weight && canary <= needed;
      expect(broken(keeps)).toEqual([]);
    });

    it("a higher weight never has fewer canary pods", () => {
      const keeps = (needed: number, weight: number, { canary }: ReturnType<Router["split"]>) =>
        weight === 100 || splitAt(needed, weight + 1).canary >= canary;
      expect(broken(keeps)).toEqual([]);
    });

    it("no pods needed and no weight mean no canary pods", () => {
      expect(splitAt(0, 50)).toMatchObject({ stable: 0, canary: 0 });
      expect(splitAt(3, 0)).toMatchObject({ stable: 3, canary: 0 });
    });
  });
}
