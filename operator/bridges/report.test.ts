import { describe, expect, it } from "vitest";
import { type LLMBridgeStatus, llmBridgeStatus } from "../api/v1alpha1/status.ts";
import { NUMBERS_EVERY_MS, withoutProgress, worthWriting } from "./report.ts";

const status = (more: object = {}): LLMBridgeStatus => llmBridgeStatus.parse({ phase: "Holding", ...more });
const verdict = (category: string, samples: number) => ({
  verdicts: [{ signal: "errors", category, samples, message: `n=${samples}` }],
});

describe("worthWriting", () => {
  it("is silent while nothing changes, however long", () => {
    expect(worthWriting(status(), status(), 0, 1e12)).toBe(false);
  });

  it("writes a change of category at once", () => {
    const [before, after] = [status(verdict("Undecided", 10)), status(verdict("ProvedBelow", 10))];
    expect(worthWriting(before, after, 1000, 1001)).toBe(true);
  });

  it("lets numbers wait, but not for ever", () => {
    const [before, after] = [status(verdict("Undecided", 140)), status(verdict("Undecided", 150))];
    expect(worthWriting(before, after, 1000, 2000)).toBe(false);
    expect(worthWriting(before, after, 1000, 1000 + NUMBERS_EVERY_MS)).toBe(true);
  });

  it("writes a verdict's numbers when its evidence has grown by half, so seldom in the long run", () => {
    let written = 1;
    let writes = 0;
    for (let samples = 1; samples <= 1_000_000; samples += Math.ceil(samples / 20)) {
      const due = worthWriting(
        status(verdict("Undecided", written)),
        status(verdict("Undecided", samples)),
        0,
        1,
      );
      if (!due) continue;
      written = samples;
      writes += 1;
    }
    expect(writes).toBeGreaterThan(25);
    expect(writes).toBeLessThan(40);
  });

  it("writes numbers after a restart, when the last write is not known", () => {
    expect(
      worthWriting(status(verdict("Undecided", 10)), status(verdict("Undecided", 20)), undefined, 0),
    ).toBe(true);
  });
});

describe("withoutProgress", () => {
  const time = "2026-01-01T00:00:00Z";
  const condition = (type: string) => ({
    ...{ type, status: "True" as const, reason: "R", message: "m", lastTransitionTime: time },
  });
  const rollout = (phase: "Stable" | "Preparing") => ({ phase, phaseSince: time });
  const decision = { time, action: "Start", reason: "NewRevision", message: "It starts.", refused: [] };

  it("reports conditions and the generation seen, but no step, decision or event of a plan that failed", () => {
    const before = status({
      phase: "Stable",
      summary: "Serving.",
      rollout: rollout("Stable"),
      observedGeneration: 1,
    });
    const after = status({
      ...{ phase: "Preparing", summary: "Starting.", rollout: rollout("Preparing"), observedGeneration: 2 },
      ...{ conditions: [condition("Stalled")], decisions: [decision] },
    });
    const event = { type: "Normal", reason: "NewRevision", action: "Start", note: "It starts." } as const;
    const plan = {
      writes: [],
      status: after,
      statusScope: "Whole",
      events: [event],
      decisions: [decision],
    } as const;
    expect(withoutProgress(plan, before)).toMatchObject({
      ...{ events: [], decisions: [] },
      status: { ...before, observedGeneration: 2, conditions: [condition("Stalled")] },
    });
  });
});
