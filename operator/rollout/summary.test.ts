import { describe, expect, it } from "vitest";
import type { RolloutStatus } from "../api/v1alpha1/status.ts";
import { iso } from "./clock.ts";
import { contextOf } from "./look.ts";
import { inputOf, step, T0, worldAtRest } from "./model/world.ts";
import { summaryOf } from "./summary.ts";
import type { HoldReason } from "./types.ts";

const at = (more: Partial<RolloutStatus>) => {
  const world = worldAtRest({ plan: { steps: [step("quarter", 25), step("all", 100)], watchAfter: "10m" } });
  return contextOf(inputOf(world), { phase: "Holding", phaseSince: iso(T0), stableRevision: "a", ...more });
};
const hold = (message: string, reason: HoldReason = "PodsNotReady") => ({ reason, message });
const canary = { canaryRevision: "b", stepName: "quarter" };
const failed = { revision: "b", reason: "OOMKilled", message: "m", time: iso(T0) };
const restart = { before: iso(T0), left: 1, since: iso(T0) };

describe("the summary", () => {
  it.each([
    [{ phase: "Pending", canaryRevision: "a" }, "Starting the first version, revision a. It waits."],
    [{ phase: "Pending" }, "Starting the first version, revision unknown. It waits."],
    [{ phase: "Stable" }, "Serving: 3 of 3 pods of revision a are ready. It waits."],
    [
      { phase: "Stable", restart },
      `Serving: 3 of 3 pods of revision a are ready. Pods made before ${iso(T0)} are being replaced. It waits.`,
    ],
    [{ phase: "Preparing", ...canary }, "Preparing canary b for step quarter (25%). It waits."],
    [{ phase: "Stepping", ...canary }, "Moving canary b to step quarter (25%). It waits."],
    [{ phase: "Holding", ...canary }, "Holding canary b at step quarter (25%). It waits."],
    [{ phase: "Promoting" }, "Promoted revision a; its predecessor stays until it has all its pods."],
    [
      { phase: "Watching", previousRevision: "p" },
      "Watching revision a after its promotion until 2026-01-01T00:10:00Z; revision p stays ready to return to. It waits.",
    ],
    [{ phase: "Draining" }, "Serving: revision a is promoted; pods of older revisions are ending. It waits."],
    [{ phase: "Aborting", ...canary }, "Withdrawing canary b. It waits."],
    [{ phase: "Aborting", ...canary, failed }, "Withdrawing canary b (OOMKilled). It waits."],
    [{ phase: "Aborted", failed }, "Serving: 3 of 3 pods of revision a are ready. It waits."],
  ] satisfies [Partial<RolloutStatus>, string][])("of %j", (state, summary) => {
    expect(summaryOf(at(state), hold("It waits."))).toBe(summary);
    expect(summaryOf(at(state), undefined)).toBe(summary.replace(" It waits.", ""));
  });

  it("counts no more ready pods than are needed", () => {
    const context = at({ phase: "Stable" });
    expect(summaryOf({ ...context, needed: 2 }, undefined)).toBe(
      "Serving: 2 of 2 pods of revision a are ready.",
    );
  });

  it("says when pods give the weight only as nearly as there is room for", () => {
    const context = at(canary);
    const limited = (limit: "MaxPods" | "TooFewPods") => ({
      ...context,
      target: { ...context.target, limit },
    });
    expect(summaryOf(limited("MaxPods"), undefined)).toBe(
      "Holding canary b at step quarter (25%) (the share of pods is the nearest that maxReplicas and budgets allow).",
    );
    expect(summaryOf(limited("TooFewPods"), undefined)).toBe("Holding canary b at step quarter (25%).");
  });

  it.each([
    ["Undecided", "The evidence does not decide yet."],
    ["GateUndecided", "A gate has not passed yet."],
    ["ProvedWorse", "The canary is proved worse; onFailure is Pause."],
    ["GatePending", "A gate has given no verdict yet."],
    ["GateFailed", "A gate has failed; onFailure is Pause."],
    ["GateNoData", "A gate gave no verdict; `kubectl llmbridge promote` or `abort` decides."],
    ["GateViolated", "A gate is violated; onFailure is Pause."],
    ["NoData", "There is nothing to judge by yet."],
    ["NoDataTooLong", "Nothing to judge by for too long; `kubectl llmbridge promote` or `abort` decides."],
    ["Inconclusive", "Undecided long after the hold; `kubectl llmbridge promote` or `abort` decides."],
    ["HoldTime", "errors +1.2pp"],
  ] as const)("of a hold for %s has no numbers that change by themselves", (reason, said) => {
    expect(summaryOf(at(canary), hold("errors +1.2pp", reason))).toBe(
      `Holding canary b at step quarter (25%). ${said}`,
    );
  });

  it.each([
    [300, ""],
    [301, "..."],
  ])("is as short as status allows: %d characters", (length, end) => {
    const before = "Serving: 3 of 3 pods of revision a are ready. ";
    const message = "x".repeat(length - before.length);
    const summary = summaryOf(at({ phase: "Stable" }), hold(message));
    expect(summary).toBe(end === "" ? `${before}${message}` : `${`${before}${message}`.slice(0, 297)}...`);
    expect(summary).toHaveLength(300);
  });
});
