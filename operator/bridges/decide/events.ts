import type { DecisionStatus } from "../../api/v1alpha1/status.ts";
import { severityOf } from "../../notify/severity.ts";
import type { PlannedEvent } from "../plan.ts";

const NOTE_LIMIT = 1000;

/**
 * The Events of a pass. Each is a write, so where a rollout arrives and what holds it there at once are told in one; and that a person asked for
 * the rest of the way is told by what comes of it, since status acknowledges the command.
 */
export function eventsOf(decisions: readonly DecisionStatus[]): PlannedEvent[] {
  const events: PlannedEvent[] = [];
  for (const [index, decision] of decisions.entries()) {
    if (decision.action === "Step" && decision.reason === "Command") continue;
    const last = events.at(-1);
    if (decision.action === "Hold" && last && decisions[index - 1]?.action === "Step") {
      events[events.length - 1] = {
        ...last,
        type: severityOf(decision) === "Warning" ? "Warning" : last.type,
        note: clip(`${last.note} It is held there: ${decision.message}`),
      };
    } else events.push(eventOf(decision));
  }
  return events;
}

const eventOf = (decision: DecisionStatus): PlannedEvent => ({
  type: severityOf(decision),
  reason: decision.reason,
  action: decision.action,
  note: clip(decision.message),
});

const clip = (note: string): string => note.slice(0, NOTE_LIMIT);
