import { describe, expect, it } from "vitest";
import { type LLMBridgeStatus, llmBridgeStatus } from "../../api/v1alpha1/status.ts";
import { fitStatus, STATUS_BYTES } from "./fit-status.ts";

const time = "2026-01-01T00:00:00Z";
const long = (length: number) => "x".repeat(length);
const bytes = (status: LLMBridgeStatus) => Buffer.byteLength(JSON.stringify(status));

/** Every list full and every text as long as the schema lets it be. */
function largest(): LLMBridgeStatus {
  return llmBridgeStatus.parse({
    phase: "Stepping",
    summary: long(300),
    conditions: Array.from({ length: 8 }, (_, index) => ({
      type: `Type${index}`,
      status: "True",
      reason: "Reason",
      message: long(1024),
      lastTransitionTime: time,
    })),
    rollout: {
      phase: "Stepping",
      phaseSince: time,
      failed: { revision: "r", reason: "x", message: long(600), time },
    },
    verdicts: Array.from({ length: 20 }, (_, index) => ({
      signal: `signal-${index}`,
      category: "Undecided",
      message: long(300),
    })),
    evidence: { revision: "r", intervalEnd: time, state: long(4096) },
    tuning: {
      nodeOptions: long(512),
      heapMiB: 1,
      semiSpaceMiB: 1,
      threadpoolSize: 4,
      rationale: Array.from({ length: 12 }, () => long(300)),
    },
    alerts: Array.from({ length: 16 }, (_, index) => ({
      name: `alert-${index}`,
      state: "Firing",
      severity: "Warning",
      action: "Notify",
      message: long(300),
      recommendation: long(300),
    })),
    secrets: Array.from({ length: 32 }, (_, index) => ({
      name: `${index}${long(251)}`,
      state: "Overdue",
      changedAt: time,
      readAt: time,
      pods: 20,
      read: 4,
      waiting: Array.from({ length: 16 }, () => long(63)),
      message: long(300),
    })),
    decisions: Array.from({ length: 10 }, () => ({
      time,
      action: "Step",
      reason: "Passed",
      message: long(600),
      refused: Array.from({ length: 6 }, () => long(200)),
    })),
  });
}

describe("fitStatus", () => {
  it("leaves a status that fits as it is", () => {
    const status = llmBridgeStatus.parse({ phase: "Stable", summary: "Serving." });
    expect(fitStatus(status)).toBe(status);
  });

  it("keeps the largest status within 16 KiB, valid, with evidence and the rollout's state untouched", () => {
    const before = largest();
    expect(bytes(before)).toBeGreaterThan(2 * STATUS_BYTES);
    const after = fitStatus(before);
    expect(bytes(after)).toBeLessThanOrEqual(STATUS_BYTES);
    expect(llmBridgeStatus.parse(after)).toEqual(after);
    expect(after.evidence).toEqual(before.evidence);
    expect(after.rollout).toEqual(before.rollout);
    expect(after.conditions.map((one) => one.type)).toEqual(before.conditions.map((one) => one.type));
  });

  it("gives the same for what it has shortened before", () => {
    const once = fitStatus(largest());
    expect(fitStatus(once)).toEqual(once);
  });
});
