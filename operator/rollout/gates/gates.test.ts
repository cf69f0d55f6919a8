import { describe, expect, it } from "vitest";
import type { ExternalGate } from "../../api/v1alpha1/gates.ts";
import type { GateStatus } from "../../api/v1alpha1/status.ts";
import {
  canaryAt,
  commanded,
  evidenceSays,
  planBecomes,
  podsBecomeReady,
  type Story,
  settle,
  specAsksFor,
  storyOf,
  timePasses,
} from "../model/story.ts";
import { phaseOf, stateOf, step, worldAtRest } from "../model/world.ts";
import type { GateAnswer } from "./answer.ts";

const quality = { name: "quality", webhook: { receiver: "evals" } };
const smoke = { name: "smoke", job: { image: "registry.example/smoke:1" } };
const steps = (...gates: string[]) => [step("half", 50, { hold: "10m", gates }), step("all", 100)];

const given = (gates: readonly object[], plan: Record<string, unknown> = {}): Story =>
  storyOf(
    worldAtRest({
      needed: 2,
      plan: { gates, steps: steps(...gates.map((one) => (one as { name: string }).name)), ...plan },
    }),
  );

const bookOf = (story: Story): readonly GateStatus[] => stateOf(story.world).gates ?? [];
const entryOf = (story: Story, name: string): GateStatus | undefined =>
  bookOf(story).find((one) => one.name === name);

/** A gate's question, as it stands in the book, is answered. */
function says(story: Story, name: string, kind: GateAnswer["kind"], message = ""): void {
  const since = entryOf(story, name)?.since ?? "";
  story.world.gates = [{ name, since, kind, message }];
  settle(story);
}

/** Hold and evidence of the first step are given. */
function proved(story: Story): void {
  timePasses(story, 11);
  evidenceSays(story, "ProvedBelow");
}

describe("a gate outside", () => {
  it("is entered with the weight, before anybody is asked, and holds what has all the rest", () => {
    const story = given([quality]);
    canaryAt(story, 0);
    expect(bookOf(story)).toEqual([
      expect.objectContaining({ name: "quality", kind: "Webhook", state: "Asked" }),
    ]);
    proved(story);
    expect(story.last?.hold).toMatchObject({
      reason: "GatePending",
      message: expect.stringContaining("Gate quality has given no verdict yet; it has until"),
    });
  });

  it("that passes lets the step be left, and is told", () => {
    const story = given([quality]);
    canaryAt(story, 0);
    says(story, "quality", "Passed", "40 of 40 answers are as good.");
    expect(story.decisions.at(-1)).toMatchObject({
      action: "Gate",
      reason: "GatePassed",
      message: "Gate quality of step half has passed: 40 of 40 answers are as good.",
    });
    proved(story);
    expect(stateOf(story.world).stepName).toBe("all");
    expect(bookOf(story)).toEqual([]);
  });

  it("that fails rolls back at once, whatever the hold and the evidence", () => {
    const story = given([quality]);
    canaryAt(story, 0);
    says(story, "quality", "Failed", "3 of 40 answers are worse.");
    expect(stateOf(story.world).failed).toMatchObject({
      reason: "GateFailed",
      message: "gate quality: 3 of 40 answers are worse",
    });
    expect(story.decisions.map(({ reason }) => reason)).toEqual(expect.arrayContaining(["GateFailed"]));
    expect(bookOf(story)).toEqual([]);
  });

  it("that fails holds for a person under onFailure Pause", () => {
    const story = given([quality], { onFailure: "Pause" });
    canaryAt(story, 0);
    says(story, "quality", "Failed", "3 of 40 answers are worse.");
    expect(story.last?.hold).toMatchObject({
      reason: "GateFailed",
      message: "Gate quality (3 of 40 answers are worse) has failed; onFailure is Pause.",
    });
    commanded(story, { action: "promote", revision: "b", step: "half", full: false });
    podsBecomeReady(story);
    expect(stateOf(story.world).stepName).toBe("all");
  });

  it.each([
    ["Pause", "Holding", "half", "GateNoData"],
    ["Proceed", "Holding", "all", undefined],
    ["Rollback", "Aborted", undefined, undefined],
  ] as const)(
    "without a verdict by its deadline and noData %s leads to %s %s",
    (noData, phase, at, reason) => {
      const story = given([{ ...quality, noData, deadline: "30m" }]);
      canaryAt(story, 0);
      says(story, "quality", "Waiting", "HTTP status 503");
      proved(story);
      expect(story.last?.hold?.reason).toBe("GatePending");
      expect(story.last?.wakeAtMs).toBe(Date.parse(entryOf(story, "quality")?.until ?? ""));
      timePasses(story, 20);
      expect(phaseOf(story.world)).toBe(phase);
      expect(stateOf(story.world).stepName).toBe(at);
      if (reason) expect(story.last?.hold?.reason).toBe(reason);
      expect(story.decisions.find((one) => one.reason === "GateNoData")?.message).toBe(
        "Gate quality of step half gave no verdict: No verdict within 30m: HTTP status 503.",
      );
    },
  );

  it("is not hurried by a pause", () => {
    const story = given([{ ...quality, deadline: "30m" }]);
    canaryAt(story, 0);
    timePasses(story, 20);
    planBecomes(story, { paused: true });
    timePasses(story, 60);
    planBecomes(story, { paused: false });
    expect(entryOf(story, "quality")?.state).toBe("Asked");
    timePasses(story, 9);
    expect(entryOf(story, "quality")?.state).toBe("Asked");
    timePasses(story, 2);
    expect(entryOf(story, "quality")?.state).toBe("NoData");
  });

  it("keeps the time at which it was asked over a pause, since its question's id is made of it", () => {
    const story = given([quality]);
    canaryAt(story, 0);
    const since = entryOf(story, "quality")?.since;
    planBecomes(story, { paused: true });
    timePasses(story, 10);
    planBecomes(story, { paused: false });
    expect(entryOf(story, "quality")).toMatchObject({ since, clock: expect.not.stringMatching(since ?? "") });
  });

  it("is decided once: what is heard later changes nothing", () => {
    const story = given([quality], { onFailure: "Pause" });
    canaryAt(story, 0);
    says(story, "quality", "Passed");
    const book = bookOf(story);
    says(story, "quality", "Failed");
    expect(bookOf(story)).toEqual(book);
  });

  it("hears no answer to an older question", () => {
    const story = given([quality]);
    canaryAt(story, 0);
    story.world.gates = [{ name: "quality", since: "2020-01-01T00:00:00.000Z", kind: "Failed", message: "" }];
    settle(story);
    expect(entryOf(story, "quality")?.state).toBe("Asked");
  });

  it("is asked anew when it is defined in another way, and not for another deadline", () => {
    const story = given([quality], { onFailure: "Pause" });
    canaryAt(story, 0);
    says(story, "quality", "Failed");
    const gates = story.world.spec.gates as ExternalGate[];
    planBecomes(story, { gates: gates.map((gate) => ({ ...gate, deadline: "1h" })) });
    expect(entryOf(story, "quality")?.state).toBe("Failed");
    timePasses(story, 1);
    const webhook = { receiver: "others", timeout: "10s" };
    planBecomes(story, { gates: gates.map((gate) => ({ ...gate, webhook })) });
    expect(entryOf(story, "quality")).toMatchObject({ state: "Asked" });
  });

  it("keeps its book while the spec is refused", () => {
    const story = given([quality]);
    canaryAt(story, 0);
    const book = bookOf(story);
    story.world.accepted = false;
    story.world.spec = { ...story.world.spec, gates: [], steps: [step("all", 100)] };
    settle(story);
    expect(bookOf(story)).toEqual(book);
  });

  it("after the evidence is asked when hold and evidence are given, and before a person is", () => {
    const plan = {
      steps: [step("half", 50, { hold: "10m", gates: ["quality"], approval: true }), step("all", 100)],
    };
    const story = given([{ ...quality, begin: "AfterEvidence" }], plan);
    canaryAt(story, 0);
    expect(bookOf(story)).toEqual([]);
    proved(story);
    expect(entryOf(story, "quality")?.state).toBe("Asked");
    says(story, "quality", "Passed");
    expect(story.last?.hold?.reason).toBe("Approval");
  });

  it("that runs dry is asked with the step and neither holds nor rolls back", () => {
    const story = given([{ ...quality, dryRun: true, begin: "AfterEvidence" }]);
    canaryAt(story, 0);
    says(story, "quality", "Failed", "worse");
    expect(entryOf(story, "quality")?.state).toBe("Failed");
    expect(story.decisions.at(-1)?.message).toBe("Gate quality of step half has failed (dry run): worse.");
    proved(story);
    expect(stateOf(story.world).stepName).toBe("all");
  });

  it("waits for every other one of the step", () => {
    const story = given([quality, smoke]);
    canaryAt(story, 0);
    expect(bookOf(story).map(({ kind }) => kind)).toEqual(["Webhook", "Job"]);
    says(story, "quality", "Passed");
    proved(story);
    expect(story.last?.hold?.message).toContain("Gate smoke has given no verdict yet");
  });

  it("holds a step at which nothing is judged", () => {
    const story = given([quality], {
      steps: [step("dark", 0, { hold: "0s", analysis: "None", gates: ["quality"] }), step("all", 100)],
    });
    specAsksFor(story, "b");
    podsBecomeReady(story);
    expect(story.last?.hold?.reason).toBe("GatePending");
    says(story, "quality", "Passed");
    expect(stateOf(story.world).stepName).toBe("all");
  });

  it("is given up with the canary, and asked anew when the revision is tried again", () => {
    const story = given([quality]);
    canaryAt(story, 0);
    const { since } = entryOf(story, "quality") ?? {};
    commanded(story, { action: "abort", revision: "b", full: false });
    expect(bookOf(story)).toEqual([]);
    timePasses(story, 1);
    commanded(story, { action: "retry", revision: "b", full: false });
    podsBecomeReady(story);
    expect(entryOf(story, "quality")?.state).toBe("Asked");
    expect(entryOf(story, "quality")?.since).not.toBe(since);
  });

  it("of the preview is asked before the switch", () => {
    const story = given([quality], {
      strategy: "BlueGreen",
      preview: { gates: ["quality"] },
      steps: [step("all", 100)],
    });
    specAsksFor(story, "b");
    podsBecomeReady(story);
    expect(story.last?.hold?.reason).toBe("GatePending");
    says(story, "quality", "Failed", "no");
    expect(stateOf(story.world).failed?.reason).toBe("GateFailed");
  });
});
