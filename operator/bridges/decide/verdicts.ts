import type { VerdictStatus } from "../../api/v1alpha1/status.ts";
import type { Signal } from "../../evidence/counts.ts";
import type { GateVerdict } from "../../evidence/gates.ts";
import type { SignalVerdict } from "../../evidence/judge.ts";
import { clause } from "../../rollout/sentence.ts";
import type { Verdicts } from "../../rollout/types.ts";
import type { Evidence } from "./evidence.ts";
import { gateValueText, intervalText, pointsText } from "./numbers.ts";

/** "errors +5.10pp [+3.20, +7.00], n=610". */
export function numbersOf(verdict: SignalVerdict): string {
  const { signal, estimate, samples } = verdict;
  if (estimate === undefined) return `${signal} n=${samples}`;
  return `${signal} ${[pointsText(estimate), intervalText(verdict)].filter(Boolean).join(" ")}, n=${samples}`;
}

/** What the gate compared: "canary 118Mi, stable 72Mi". */
function valuesOf({ metric, canary, stable }: GateVerdict): string {
  const named = { canary, stable };
  return Object.entries(named)
    .flatMap(([name, value]) => (value === undefined ? [] : [`${name} ${gateValueText(metric, value)}`]))
    .join(", ");
}

function gateMessage(verdict: GateVerdict): string {
  const values = valuesOf(verdict);
  return values === "" ? verdict.message : `${clause(verdict.message)} (${values}).`;
}

const isDryRun = ({ config }: Evidence, signal: Signal): boolean => config.dryRun?.includes(signal) ?? false;
const acting = (gates: readonly GateVerdict[]): GateVerdict[] => gates.filter(({ dryRun }) => !dryRun);

/** What the rollout engine is told: of what only runs dry, nothing. */
export function rolloutVerdicts(evidence: Evidence, gates: readonly GateVerdict[]): Verdicts {
  if (!evidence.state) return { kind: "NotStarted", message: evidence.missing ?? "Nothing is judged yet." };
  const of = (signal: "errors" | "latency") => {
    const verdict = evidence.verdicts.find((one) => one.signal === signal);
    return (
      verdict && {
        category: verdict.category,
        message: `${clause(verdict.message)} (${numbersOf(verdict)}).`,
      }
    );
  };
  const errors = of("errors");
  if (!errors) return { kind: "NoData", message: evidence.missing ?? "No request was counted yet." };
  const latency = isDryRun(evidence, "latency") ? undefined : of("latency");
  return {
    kind: "Judged",
    errors,
    ...(latency ? { latency } : {}),
    gates: acting(gates).map((one) => ({
      name: one.gate,
      category: one.category,
      message: gateMessage(one),
    })),
    decidedAtMs: evidence.state.intervalEndMs,
    intervalMs: evidence.intervalMs,
  };
}

/** What stands in status. */
export function verdictStatuses(evidence: Evidence, gates: readonly GateVerdict[]): VerdictStatus[] {
  if (!evidence.state) return [];
  return [
    ...evidence.verdicts.map((one) => {
      const interval = intervalText(one);
      return {
        signal: one.signal,
        category: one.category,
        ...(one.estimate === undefined ? {} : { estimate: pointsText(one.estimate) }),
        ...(interval === undefined ? {} : { interval }),
        samples: one.samples,
        ...(isDryRun(evidence, one.signal) ? { dryRun: true } : {}),
        message: one.message,
      };
    }),
    ...gates.map((one) => ({
      signal: one.gate,
      category: one.category,
      ...(one.canary === undefined ? {} : { estimate: gateValueText(one.metric, one.canary) }),
      samples: one.looks,
      ...(one.dryRun ? { dryRun: true } : {}),
      message: one.message,
    })),
  ];
}
