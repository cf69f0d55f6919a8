import { describe, expect, it } from "vitest";
import type { DecisionStatus } from "../../api/v1alpha1/status.ts";
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

  it("tell in one that a step is entered and held at once", () => {
    expect(said(decision("Step", "Prepared"), decision("Hold", "MetricsUnavailable"))).toEqual([
      "Normal Prepared: Prepared was decided. It is held there: MetricsUnavailable was decided.",
    ]);
    expect(said(decision("Hold", "MetricsUnavailable"))).toHaveLength(1);
    expect(said(decision("Finish", "FirstReady"), decision("Hold", "NoRoom"))).toHaveLength(2);
  });

  it("leave a person's own word to the status, and tell what comes of it", () => {
    expect(said(decision("Step", "Command"))).toEqual([]);
    expect(said(decision("Step", "Command"), decision("Hold", "NoRoom"))).toEqual([
      "Normal NoRoom: NoRoom was decided.",
    ]);
    expect(said(decision("Rollback", "Command"))).toHaveLength(1);
  });
});
