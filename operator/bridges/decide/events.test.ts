import { describe, expect, it } from "vitest";
import { type DecisionStatus, llmBridgeStatus } from "../../api/v1alpha1/status.ts";
import { decisionEvent } from "../../notify/decision-event.ts";
import { eventsOf } from "./events.ts";

const decision = (action: DecisionStatus["action"], reason: string): DecisionStatus => ({
  ...{ time: "2026-01-01T00:00:00Z", refused: [], action, reason },
  message: `${reason} was decided.`,
});
const said = (...decisions: DecisionStatus[]) =>
  eventsOf(decisions).map(({ type, reason, note }) => `${type} ${reason}: ${note}`);

describe("Events of a pass", () => {
  it("tell each decision, as a warning where something went wrong", () => {
    expect(said(decision("Rollback", "Crashing"), decision("Scale", "Demand"))).toEqual([
      "Warning Crashing: Crashing was decided.",
      "Normal Demand: Demand was decided.",
    ]);
  });

  it.each([
    ["NotReread", "SecretOverdue", "Warning"],
    ["Alert", "AlertFiring", "Warning"],
    ["Hold", "Inconclusive", "Warning"],
    ["Hold", "NoRoom", "Warning"],
    ["Hold", "FleetFreeze", "Normal"],
    ["Hold", "NotAccepted", "Normal"],
    ["Reread", "SecretReread", "Normal"],
  ] as const)("are of the severity that notifications give: %s (%s) is %s", (action, reason, severity) => {
    const one = decision(action, reason);
    expect(eventsOf([one])[0]?.type).toBe(severity);
    const bridge = { namespace: "ai", name: "chat", uid: "u-1" };
    expect(decisionEvent(bridge, one, llmBridgeStatus.parse({})).severity).toBe(severity);
  });

  it("tell in one that a step is entered and held at once", () => {
    expect(said(decision("Step", "Prepared"), decision("Hold", "MetricsUnavailable"))).toEqual([
      "Warning Prepared: Prepared was decided. It is held there: MetricsUnavailable was decided.",
    ]);
    expect(said(decision("Hold", "MetricsUnavailable"))).toHaveLength(1);
    expect(said(decision("Finish", "FirstReady"), decision("Hold", "NoRoom"))).toHaveLength(2);
  });

  it("leave a person's own word to the status, and tell what comes of it", () => {
    expect(said(decision("Step", "Command"))).toEqual([]);
    expect(said(decision("Step", "Command"), decision("Hold", "NoRoom"))).toEqual([
      "Warning NoRoom: NoRoom was decided.",
    ]);
    expect(said(decision("Rollback", "Command"))).toHaveLength(1);
  });
});
