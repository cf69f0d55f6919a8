import { durationMs } from "../../api/v1alpha1/scalars.ts";
import type { VerdictStatus } from "../../api/v1alpha1/status.ts";
import type { BridgeView } from "../bridge-view.ts";
import { outlookOf } from "../explain/outlook.ts";
import { clockText, spanText } from "./age.ts";
import type { Colour } from "./colour.ts";
import type { View } from "./view.ts";
import { padVisible } from "./wrap.ts";

/** A line for each signal and gate: estimate, interval, samples, category, and what it means. */
export function verdictLines(bridge: BridgeView, { colour }: View): readonly string[] {
  const verdicts = bridge.status.verdicts ?? [];
  const widest = Math.max(0, ...verdicts.map(({ signal }) => signal.length));
  return verdicts.map((verdict) => {
    const { signal, category, estimate, interval, samples, dryRun, message } = verdict;
    const numbers = [
      estimate,
      interval,
      samples === undefined ? undefined : `n=${samples.toLocaleString("en")}`,
    ];
    return [
      padVisible(signal, widest),
      ...numbers.filter((text) => text !== undefined),
      dryRun ? `${category} (dry run)` : paint(category, colour)(category),
      message,
      ...[outlookOf(bridge, verdict)].flatMap((outlook) => (outlook === undefined ? [] : [`(${outlook})`])),
    ].join("  ");
  });
}

function paint(category: VerdictStatus["category"], colour: Colour): (text: string) => string {
  if (category === "ProvedWorse" || category === "Violated") return colour.bad;
  const isGood = category === "ProvedBelow" || category === "Passed" || category === "Watching";
  return isGood ? colour.good : colour.warn;
}

/**
 * When the evidence could decide at the earliest, as it was reckoned with the traffic before the rollout. It was reckoned for the first
 * step; at a later one there is nothing to say.
 */
export function earliestText({ status }: BridgeView, nowMs: number): string | undefined {
  const { forecast, step, rollout, verdicts = [] } = status;
  const open = verdicts.some(({ category, dryRun }) => category === "Undecided" && !dryRun);
  const since = Date.parse(rollout?.evidenceSince ?? "");
  if (!forecast?.promoteAfter || !open || step?.index !== 0 || Number.isNaN(since)) return undefined;
  const atMs = since + durationMs(forecast.promoteAfter);
  const expected = `within about ${forecast.promoteAfter} of evidence, going by the traffic before the rollout`;
  return atMs > nowMs
    ? `a good version is proved ${expected}: at ${clockText(new Date(atMs).toISOString(), nowMs)}, in ${spanText(atMs - nowMs)}`
    : `a good version was to be proved ${expected}; this one takes longer`;
}
