import { GATE_METRIC_UNITS, type GateMetric } from "../../api/v1alpha1/rollout.ts";

/** A difference in percentage points with as many digits as a person reads: "+0.12pp", "-12.3pp". */
export function pointsText(points: number): string {
  return `${signed(points)}pp`;
}

/** "[+3.20, +7.00]" in percentage points. One that covers every possible difference says nothing and is left out. */
export function intervalText({
  interval,
}: {
  readonly interval?: readonly [number, number];
}): string | undefined {
  if (!interval || interval[1] - interval[0] >= 200) return undefined;
  return `[${signed(interval[0])}, ${signed(interval[1])}]`;
}

/** A gate's value in the unit in which its limit is written: "4.6%", "118ms", "72Mi", "310". */
export function gateValueText(metric: GateMetric, value: number): string {
  switch (GATE_METRIC_UNITS[metric]) {
    case "percent":
      return `${digits(100 * value)}%`;
    case "duration":
      return value < 1 ? `${digits(1000 * value)}ms` : `${digits(value)}s`;
    case "bytes":
      return `${digits(value / 2 ** 20)}Mi`;
    case "count":
      return digits(value);
  }
}

function signed(points: number): string {
  const size = Math.abs(points);
  const text = size.toFixed(size >= 99.95 ? 0 : size >= 9.995 ? 1 : 2);
  return `${points < 0 && Number(text) !== 0 ? "-" : "+"}${text}`;
}

/** Three digits where there are no more before the point. */
function digits(value: number): string {
  return Math.abs(value) >= 100 ? String(Math.round(value)) : String(Number(value.toPrecision(3)));
}
