import { describe, expect, it } from "vitest";
import { whyNotHold } from "./hold-instead.ts";

describe("whyNotHold", () => {
  const pods = "pods that fail give no capacity to hold on to, whatever spec.rollout.onFailure says";
  it.each([
    ["ErrorsProvedWorse", "spec.rollout.onFailure is Rollback"],
    ["LatencyProvedWorse", "spec.rollout.onFailure is Rollback"],
    ["GateViolated", "spec.rollout.onFailure is Rollback"],
    ["GateFailed", "spec.rollout.onFailure is Rollback"],
    ["Inconclusive", "spec.rollout.analysis.inconclusive.action is Rollback"],
    ["NoData", "spec.rollout.analysis.noData.action is Rollback"],
    ["GateNoData", "noData of the gate is Rollback"],
    ["Alert", "the alert's action is Rollback"],
    ["NeverReady", "spec.rollout.progressDeadline is over"],
    ["LostReadiness", "spec.rollout.progressDeadline is over"],
    ["OOMKilled", pods],
    ["CrashLoop", pods],
  ] as const)("of %s: %s", (reason, why) => {
    expect(whyNotHold({ onFailure: "Rollback" }, reason)).toBe(why);
  });
});
