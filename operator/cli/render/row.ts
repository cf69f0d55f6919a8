import type { VerdictStatus } from "../../api/v1alpha1/status.ts";
import type { BridgeView } from "../bridge-view.ts";
import { ageText } from "./age.ts";
import { withoutColumns } from "./table.ts";
import { versionText } from "./version.ts";

const HEAD = [
  "NAME",
  "PHASE",
  "STEP",
  "STABLE",
  "CANARY",
  "WEIGHT",
  "SERVED",
  "VERDICT",
  "REPLICAS",
  "WORKERS",
  "AGE",
];

/** The head of the table of `get`. */
export function headOf(withNamespace: boolean): readonly string[] {
  return withNamespace ? ["NAMESPACE", ...HEAD] : HEAD;
}

/** The table in as many columns as the width has room for. */
export function fittingColumns(
  table: readonly (readonly string[])[],
  columns: number,
): readonly (readonly string[])[] {
  return withoutColumns(table, columns, ["WORKERS", "SERVED", "STABLE", "CANARY", "WEIGHT", "REPLICAS"]);
}

/** One bridge as a line of `get`. */
export function rowOf(bridge: BridgeView, nowMs: number, withNamespace: boolean): readonly string[] {
  const { metadata, spec, status } = bridge;
  const { canary, stable, step } = status;
  const beside = canary ?? status.previous;
  const row = [
    metadata.name,
    spec.rollout.paused ? `${status.phase ?? "-"} (paused)` : (status.phase ?? "-"),
    step ? `${step.name} (${step.index + 1}/${step.count})` : "-",
    versionText(stable),
    versionText(canary),
    canary ? `${canary.desiredWeight}%` : "-",
    canary?.requestShare ?? "-",
    verdictText(status.verdicts ?? []),
    `${status.replicas ?? 0}${beside ? `+${beside.replicas}` : ""}`,
    status.workers ? String(status.workers.current) : "-",
    ageText(metadata.creationTimestamp, nowMs),
  ];
  return withNamespace ? [metadata.namespace ?? "", ...row] : row;
}

/** From the worst to the best. */
const ORDER: readonly VerdictStatus["category"][] = [
  ...(["ProvedWorse", "Violated", "NoData", "Undecided", "Watching", "ProvedBelow", "Passed"] as const),
];

/** The verdict that keeps the rollout from going on, or the last good one. */
export function worstVerdict(verdicts: readonly VerdictStatus[]): VerdictStatus | undefined {
  return verdicts
    .filter(({ dryRun }) => !dryRun)
    .sort((a, b) => ORDER.indexOf(a.category) - ORDER.indexOf(b.category))[0];
}

function verdictText(verdicts: readonly VerdictStatus[]): string {
  const worst = worstVerdict(verdicts);
  if (worst === undefined) return "-";
  return worst.estimate === undefined ? worst.category : `${worst.category} (${worst.estimate})`;
}
