import { describe, expect, it } from "vitest";
import type { BridgeView } from "../bridge-view.ts";
import { freshBridge, sampleBridge } from "../testing/sample-bridge.ts";
import { standingOf, type Until } from "./standing.ts";

const since = "2026-11-21T09:00:00Z";
const condition = (
  type: string,
  status: string,
  reason: string,
  message: string,
  observedGeneration = 7,
) => ({
  ...{ type, status, reason, message, observedGeneration, lastTransitionTime: since },
});
const ready = condition("Ready", "True", "Serving", "Serving: 10 of 10 pods of revision d04be8 are ready.");
const stable = { revision: "d04be8", image: "r/b:1.5.0", replicas: 10, ready: 10, desiredWeight: 100 };

/** The sample at generation 7, which the operator has seen and which asks for revision d04be8. */
function at(status: object, generation = 7): BridgeView {
  const bridge = sampleBridge({ status: { observedGeneration: 7, revision: "d04be8", ...status } });
  return { ...bridge, metadata: { ...bridge.metadata, generation } };
}
const resting = (phase: string, rollout: object = {}, more: object = {}) =>
  at({
    ...{ phase, stable, canary: undefined, step: undefined, conditions: [ready], summary: `It is ${phase}.` },
    rollout: { phase, phaseSince: since, stableRevision: "d04be8", ...rollout },
    ...more,
  });
const failed = { revision: "d04be8", reason: "ErrorsProvedWorse", message: "errors +5pp", time: since };
const outcome = (bridge: BridgeView, until: Until = "stable") => standingOf(bridge, until).outcome;

describe("standingOf", () => {
  it("is stable when what the spec asks for serves for good, also while older pods end", () => {
    expect(standingOf(resting("Stable"), "stable")).toEqual({
      ...{ outcome: "Stable", message: "Revision d04be8 (1.5.0) is stable." },
    });
    expect(outcome(resting("Draining"))).toBe("Stable");
  });

  it("counts a promoted version that is watched as over only where that is asked for", () => {
    expect(outcome(resting("Watching", { previousRevision: "7c9f21" }))).toBe("InProgress");
    expect(standingOf(resting("Watching", { previousRevision: "7c9f21" }), "promoted")).toMatchObject({
      ...{ outcome: "Promoted", message: "Revision d04be8 (1.5.0) is promoted. It is Watching." },
    });
    expect(outcome(resting("Promoting"), "promoted")).toBe("InProgress");
  });

  it("is in progress while the operator has not seen the spec, whatever it says of the one before", () => {
    const edited = { ...resting("Stable"), metadata: { ...resting("Stable").metadata, generation: 8 } };
    expect(standingOf(edited, "stable")).toMatchObject({
      ...{ outcome: "InProgress", message: "The operator has not looked at generation 8 yet." },
    });
    expect(standingOf(freshBridge(), "stable").message).toMatch(/^No operator has looked at it yet/);
  });

  it("is in progress while what is asked for does not serve, and while its pods are not ready", () => {
    expect(outcome(at({}))).toBe("InProgress");
    const queued = resting("Stable", { stableRevision: "7c9f21", heldFor: "Paused" });
    expect(standingOf(queued, "stable")).toEqual({ outcome: "InProgress", message: "It is Stable." });
    expect(outcome(resting("Draining", { stableRevision: "7c9f21" }))).toBe("InProgress");
    const unready = { conditions: [condition("Ready", "False", "PodsNotReady", "0 of 10 pods are ready")] };
    expect(standingOf(resting("Stable", {}, unready), "stable")).toEqual({
      ...{ outcome: "InProgress", message: "0 of 10 pods are ready." },
    });
  });

  it("is rolled back once what failed has left", () => {
    const stalled = condition("Stalled", "True", "ErrorsProvedWorse", "errors +5pp");
    const back = { failed, stableRevision: "7c9f21" };
    const aborted = resting("Aborted", back, {
      conditions: [ready, stalled],
      stable: { ...stable, revision: "7c9f21", image: "r/b:1.4.0" },
    });
    expect(standingOf(aborted, "promoted", " -n ai")).toEqual({
      outcome: "RolledBack",
      message:
        "Revision d04be8 was rolled back (ErrorsProvedWorse): errors +5pp. Revision 7c9f21 (1.4.0) serves. Change the spec, or try it again with `kubectl llmbridge retry chat -n ai`.",
    });
    expect(outcome(resting("Aborting", { ...back, canaryRevision: "d04be8" }))).toBe("InProgress");
  });

  it("says nothing of a failure of another revision than the one that is asked for", () => {
    expect(outcome(resting("Stable", { failed: { ...failed, revision: "bad001" } }))).toBe("Stable");
  });

  it("is refused where the spec is, whatever failed before, and not by a word on the spec before", () => {
    const refused = condition("Accepted", "False", "InvalidSpec", "spec.image: m");
    const stalled = condition("Stalled", "True", "InvalidSpec", "spec.image: m");
    const bridge = resting("Aborted", { failed }, { conditions: [refused, stalled], revision: undefined });
    expect(standingOf(bridge, "stable")).toEqual({
      ...{ outcome: "Refused", message: "The spec is refused: spec.image: m." },
    });
    expect(outcome({ ...bridge, metadata: { ...bridge.metadata, generation: 8 } })).toBe("InProgress");
  });

  it("is stalled where the operator says so, also one that cannot read the rest", () => {
    const stalled = condition("Stalled", "True", "UnreadableStatus", "A newer version wrote it", 8);
    const bridge = resting("Stable", {}, { conditions: [ready, stalled] });
    expect(standingOf({ ...bridge, metadata: { ...bridge.metadata, generation: 8 } }, "stable")).toEqual({
      ...{ outcome: "Stalled", message: "Stalled (UnreadableStatus): A newer version wrote it." },
    });
  });

  it("names the bridge in the operator's commands", () => {
    const summary = "Step half waits for approval: `kubectl llmbridge promote` releases revision d04be8.";
    expect(standingOf(at({ summary }), "stable", " -n ai").message).toBe(
      "Step half waits for approval: `kubectl llmbridge promote chat -n ai` releases revision d04be8.",
    );
  });

  it("understands an operator that does not note the revision", () => {
    const complete = condition("Progressing", "False", "Complete", "m");
    const waiting = condition("Progressing", "False", "Paused", "m");
    const old = (phase: string, ...conditions: object[]) =>
      outcome(resting(phase, {}, { revision: undefined, conditions: [ready, ...conditions] }));
    expect([old("Stable", complete), old("Stable", waiting), old("Draining"), old("Preparing")]).toEqual([
      ...["Stable", "InProgress", "InProgress", "InProgress"],
    ]);
    expect(outcome(resting("Aborted", { failed }, { revision: undefined }))).toBe("RolledBack");
  });

  it("does not guess at a phase of a newer operator", () => {
    expect(outcome(resting("Baking"))).toBe("InProgress");
  });
});
