import { describe, expect, it } from "vitest";
import type { RolloutStatus } from "../../api/v1alpha1/status.ts";
import { decide } from "../decide.ts";
import type { Snapshot } from "../snapshot.ts";
import { begunThings, OLD_DEPLOYMENT, oldThings, SPEC } from "../testing/old-things.ts";
import { World } from "../testing/world.ts";
import { takenOver } from "./condition.ts";
import { type ObservedTakeOver, TAKEN_OVER, type TakenObjects } from "./observed.ts";
import { isComplete, lookAtTakeOver, stateWithOld, withOldVersion } from "./view.ts";

const { takeOver: _, ...WITHOUT } = SPEC;

/** A bridge that was just made, beside what it is to take over. */
function made(takeOver: ObservedTakeOver, more: Partial<Snapshot> = {}): Snapshot {
  return { ...new World(SPEC).snapshot(), takeOver, ...more };
}

const stored = (takeOver: Snapshot["status"]["takeOver"], rollout?: RolloutStatus) => {
  const { status } = new World(SPEC).snapshot();
  return { status: { ...status, ...(takeOver ? { takeOver } : {}), ...(rollout ? { rollout } : {}) } };
};
const TAKEN = { deployment: "web", services: ["web"], replicas: 3 };
const phase = (more: Partial<RolloutStatus>): RolloutStatus => ({
  ...{ phase: "Stable", phaseSince: "2026-01-01T00:00:00Z" },
  ...more,
});
const conditionOf = (snapshot: Snapshot, type: string) =>
  decide(snapshot).plan.status.conditions.find((one) => one.type === type);
const down: Partial<TakenObjects> = { deployment: { ...OLD_DEPLOYMENT, replicas: 0 }, pods: [] };

describe("a bridge that is to take over", () => {
  it("starts its first version as a canary of what serves, at the steps of the spec", () => {
    const { plan } = decide(made(oldThings()));
    expect(plan.status).toMatchObject({
      phase: "Preparing",
      stable: { revision: TAKEN_OVER, image: "registry.example/old:1" },
      takeOver: { ...TAKEN, replicas: 3 },
    });
    expect(plan.writes[0]).toEqual({ kind: "Finalizer", change: "Add" });
    const deployments = plan.writes.filter((one) => one.kind === "Create" && one.resource === "deployments");
    expect(deployments).toMatchObject([{ object: { spec: { replicas: 1 } } }]);
    const budget = plan.writes.find(
      (one) => one.kind === "Create" && one.resource === "poddisruptionbudgets",
    );
    expect(JSON.stringify(budget)).toContain('"values":["taken-over"]');
  });

  it("makes no version at all while it is refused, and begins when it is not", () => {
    const refused = made(oldThings({ autoscalers: ["web"] }));
    const { plan } = decide(refused);
    expect(plan.status).toMatchObject({ phase: "Pending" });
    expect(plan.status.takeOver).toBeUndefined();
    expect(plan.writes.filter((one) => one.kind !== "Create" || one.resource === "deployments")).toEqual([]);
    expect(conditionOf(refused, "Accepted")).toMatchObject({ status: "False", reason: "TakeOverAutoscaled" });
    expect(conditionOf(refused, "TakenOver")).toMatchObject({
      status: "False",
      reason: "TakeOverAutoscaled",
    });
    const later = made(oldThings(), { status: plan.status });
    expect(decide(later).plan.status).toMatchObject({ phase: "Preparing", stable: { revision: TAKEN_OVER } });
  });

  it("is not begun by an operator that may not see it, and not given up by one that may no more", () => {
    const forbidden = { kind: "Forbidden", message: "deployments.apps is forbidden" } as const;
    expect(conditionOf(made(forbidden), "Accepted")?.reason).toBe("TakeOverForbidden");
    const begun = made(forbidden, stored(TAKEN, phase({ stableRevision: TAKEN_OVER })));
    expect(decide(begun).plan).toMatchObject({ writes: [], statusScope: "Conditions" });
  });

  it("does not count an old Deployment that is gone as a version", () => {
    const gone = made(begunThings({ deployment: undefined, pods: [] }), stored(TAKEN));
    const view = lookAtTakeOver(gone, SPEC);
    expect(view?.stage).toBe("Serving");
    expect(withOldVersion(gone, view)).toBe(gone);
  });

  it("takes the state from what is stored, and from the notes where that is lost", () => {
    const again = made(begunThings());
    const view = lookAtTakeOver(again, SPEC);
    expect(view?.replicasBefore).toBe(3);
    expect(stateWithOld(withOldVersion(again, view), view)).toMatchObject({ stableRevision: TAKEN_OVER });
    const moved = made(begunThings(), stored(TAKEN, phase({ phase: "Holding", stableRevision: TAKEN_OVER })));
    expect(stateWithOld(moved, lookAtTakeOver(moved, SPEC))?.phase).toBe("Holding");
  });

  it("has handed over when nothing leads back to it and its pods have ended", () => {
    const of = (seen: Partial<TakenObjects>, rollout: RolloutStatus) => {
      const snapshot = made(begunThings(seen), stored(TAKEN, rollout));
      return isComplete(lookAtTakeOver(snapshot, SPEC), rollout);
    };
    expect(of(down, phase({ stableRevision: "abc" }))).toBe(true);
    expect(of({}, phase({ stableRevision: "abc" }))).toBe(false);
    expect(of(down, phase({ stableRevision: TAKEN_OVER }))).toBe(false);
    expect(of(down, phase({ phase: "Watching", stableRevision: "abc", previousRevision: TAKEN_OVER }))).toBe(
      false,
    );
  });

  it("may let go of it then, and not before", () => {
    const serving = made(begunThings(), stored(TAKEN));
    expect(lookAtTakeOver(serving, WITHOUT)).toMatchObject({
      stage: "Serving",
      objection: { reason: "TakeOverRemoved" },
    });
    const over = made(begunThings(down), stored({ ...TAKEN, complete: true }));
    expect(lookAtTakeOver(over, WITHOUT)).toMatchObject({ stage: "Released", objection: undefined });
    expect(lookAtTakeOver(over, SPEC)?.stage).toBe("Complete");
    expect(lookAtTakeOver(made({ kind: "None" }), WITHOUT)).toBeUndefined();
  });
});

describe("the condition TakenOver", () => {
  const say = (seen: Partial<TakenObjects>, rollout: RolloutStatus, complete = false) => {
    const snapshot = made(
      begunThings(seen),
      stored({ ...TAKEN, ...(complete ? { complete } : {}) }, rollout),
    );
    return takenOver(snapshot, lookAtTakeOver(snapshot, SPEC), rollout)[0];
  };

  it("says what is judged, and who would scale it again", () => {
    const deployment = { ...OLD_DEPLOYMENT, deployedBy: "Helm release web" };
    const { reason, message } = say({ deployment }, phase({ stableRevision: TAKEN_OVER })) ?? {};
    expect(reason).toBe("ServesAsStable");
    expect(message).toContain("gates with a limit of their own");
    expect(message).toContain("Helm release web deployed it");
  });

  it("says how to go back and how to let go, and whether somebody scales it again", () => {
    const stable = phase({ stableRevision: "abc" });
    expect(say({}, phase({ phase: "Draining", stableRevision: "abc" }))?.reason).toBe("HandsOver");
    expect(say(down, stable, true)).toMatchObject({ status: "True", reason: "Complete" });
    expect(say({}, stable, true)).toMatchObject({ status: "False", reason: "ScaledAgain" });
  });

  it("stays as it was while nobody looks", () => {
    const said = { type: "TakenOver", status: "True", reason: "Complete", message: "Said before." } as const;
    const { status } = stored({ ...TAKEN, complete: true });
    const conditions = [{ ...said, lastTransitionTime: "2026-01-01T00:00:00Z" }];
    const resting = made({ kind: "Resting" }, { status: { ...status, conditions } });
    expect(takenOver(resting, lookAtTakeOver(resting, SPEC), phase({}))).toMatchObject([said]);
  });
});
