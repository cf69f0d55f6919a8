import { durationMs } from "../../api/v1alpha1/scalars.ts";
import { stepsOf } from "../../rollout/plan.ts";
import type { BridgeView } from "../bridge-view.ts";
import { spanText } from "./age.ts";
import type { View } from "./view.ts";

/** The plan of the rollout in one line: what is passed, where it stands and how much of the hold is over, what comes. */
export function stepsText({ spec, status }: BridgeView, { nowMs, colour }: View): string {
  const present = status.step;
  const steps = stepsOf(spec.rollout);
  // A step that was removed from the plan comes before the first.
  const at = steps.findIndex(({ name }) => name === present?.name);
  const parts = steps.map((step, index) => {
    const { name, weight, hold, approval } = step;
    const needsApproval = approval ? " (needs approval)" : "";
    if (present === undefined || index > at)
      return colour.faint(`○ ${name} ${weight}%${holdNote(hold)}${needsApproval}`);
    if (index < at) return colour.faint(`✓ ${name} ${weight}%`);
    return `${colour.strong(`● ${name} ${weight}%`)}${progress(present.holdUntil, hold, nowMs)}${needsApproval}`;
  });
  return parts.join("   ");
}

const holdNote = (hold: string): string => (durationMs(hold) === 0 ? "" : ` hold ${hold}`);

const BAR = 10;

/** How much of the hold is over; before the canary has served requests, what it is going to be. */
function progress(until: string | undefined, hold: string, nowMs: number): string {
  const wholeMs = durationMs(hold);
  if (until === undefined) return holdNote(hold);
  const leftMs = Math.max(0, Date.parse(until) - nowMs);
  const share = wholeMs === 0 ? 1 : Math.min(1, Math.max(0, 1 - leftMs / wholeMs));
  const done = Math.floor(BAR * share);
  return ` ${"▓".repeat(done)}${"░".repeat(BAR - done)} ${spanText(wholeMs - leftMs)} of ${hold}`;
}
