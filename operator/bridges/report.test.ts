import { describe, expect, it } from "vitest";
import { type LLMBridgeStatus, llmBridgeStatus } from "../api/v1alpha1/status.ts";
import { COUNTS_EVERY_MS, NUMBERS_EVERY_MS, withoutProgress, writeDueInMs } from "./report.ts";

const status = (more: object = {}): LLMBridgeStatus => llmBridgeStatus.parse({ phase: "Holding", ...more });
const time = "2026-01-01T00:00:00Z";
const condition = (type: string, message = "m") => ({
  ...{ type, status: "True" as const, reason: "R", message, lastTransitionTime: time },
});
const verdict = (category: string, samples: number) => ({
  verdicts: [{ signal: "errors", category, samples, message: `n=${samples}` }],
});

describe("writeDueInMs", () => {
  it("is silent while nothing changes, however long", () => {
    expect(writeDueInMs(status(), status(), 0, 1e12)).toBeUndefined();
  });

  it("writes a change of category at once", () => {
    const [before, after] = [status(verdict("Undecided", 10)), status(verdict("ProvedBelow", 10))];
    expect(writeDueInMs(before, after, 1000, 1001)).toBe(0);
  });

  it("does not write only to say that nothing has been counted yet", () => {
    expect(writeDueInMs(status(), status(verdict("NoData", 0)), 1000, 3000)).toBeUndefined();
    expect(writeDueInMs(status(verdict("Undecided", 9)), status(verdict("NoData", 9)), 1000, 3000)).toBe(0);
  });

  it("lets numbers wait, but not for ever", () => {
    const [before, after] = [status(verdict("Undecided", 140)), status(verdict("Undecided", 150))];
    expect(writeDueInMs(before, after, 1000, 2000)).toBeUndefined();
    expect(writeDueInMs(before, after, 1000, 1000 + NUMBERS_EVERY_MS)).toBe(0);
  });

  it("writes a verdict's numbers when its evidence has grown by half, so seldom in the long run", () => {
    let written = 1;
    let writes = 0;
    for (let samples = 1; samples <= 1_000_000; samples += Math.ceil(samples / 20)) {
      const due = writeDueInMs(
        status(verdict("Undecided", written)),
        status(verdict("Undecided", samples)),
        0,
        1,
      );
      if (due === undefined) continue;
      written = samples;
      writes += 1;
    }
    expect(writes).toBeGreaterThan(25);
    expect(writes).toBeLessThan(40);
  });

  it("writes nothing for a mere look more at a gate", () => {
    const gate = (samples: number) =>
      status({ verdicts: [{ signal: "memory", category: "Passed", samples, message: "" }] });
    expect(writeDueInMs(gate(6), gate(60), 0, 1)).toBeUndefined();
  });

  it("writes numbers after a restart, when the last write is not known", () => {
    expect(
      writeDueInMs(status(verdict("Undecided", 10)), status(verdict("Undecided", 20)), undefined, 0),
    ).toBe(0);
  });

  it("gathers pods that become ready one after the other, and the sentences that count them", () => {
    const at = (ready: number, more: object = {}) =>
      status({
        stable: { revision: "a", image: "i", replicas: 20, ready, desiredWeight: 100 },
        summary: `Serving: ${ready} of 20.`,
        conditions: [condition("Ready", `Serving: ${ready} of 20.`)],
        ...more,
      });
    expect(writeDueInMs(at(3), at(4), 10_000, 10_500)).toBe(COUNTS_EVERY_MS - 500);
    expect(writeDueInMs(at(3), at(4), 10_000, 10_000 + COUNTS_EVERY_MS)).toBe(0);
    expect(writeDueInMs(at(3), at(4, { phase: "Stable" }), 10_000, 10_500)).toBe(0);
  });

  it("does not wait for a clock that was set back to come to where it was", () => {
    const said = (summary: string) => status({ summary });
    expect(writeDueInMs(said("one"), said("two"), 1e9, 1_000)).toBe(0);
  });
});

describe("withoutProgress", () => {
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

  it("tells which revision the generation asks for, and none where that is not known", () => {
    const before = status({ observedGeneration: 1, revision: "aaa" });
    const plan = { writes: [], statusScope: "Whole", events: [], decisions: [] } as const;
    const reported = (change: object) =>
      withoutProgress({ ...plan, status: status({ observedGeneration: 2, ...change }) }, before).status;
    expect(reported({ revision: "bbb" }).revision).toBe("bbb");
    expect(reported({}).revision).toBeUndefined();
  });
});
