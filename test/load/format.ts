import type { Percentiles } from "./histogram.ts";
import type { Report } from "./tally.ts";

/** A report for people: one line a version and a kind, then why requests failed. */
export function formatReport(report: Report): string {
  const seconds = (report.atMs - report.startedMs) / 1000;
  const columns = ["", "finished", "failed", "cut", "p50 ms", "p95 ms", "p99 ms", "max ms", "first byte p95"];
  const row = (
    name: string,
    part: Report["versions"][string] | NonNullable<Report["kinds"]["chat"]>,
  ): string[] => [
    name,
    String(part.finished),
    String(part.failed),
    String(part.cut),
    ...(["p50", "p95", "p99", "max"] as const).map((at) => shown(part.latencyMs, at)),
    shown(part.firstByteMs, "p95"),
  ];
  const rows = [
    columns,
    ...Object.entries(report.versions).map(([name, part]) => row(name, part)),
    ...Object.entries(report.kinds).map(([name, part]) => row(name, part)),
  ];
  const widths = columns.map((_, index) => Math.max(...rows.map((cells) => cells[index]?.length ?? 0)));
  const table = rows.map((cells) =>
    cells
      .map((cell, index) =>
        index === 0 ? cell.padEnd(widths[index] ?? 0) : cell.padStart(widths[index] ?? 0),
      )
      .join("  "),
  );
  const reasons = Object.entries(report.reasons).map(([reason, count]) => `${reason}: ${count}`);
  return [
    `${report.finished} requests in ${seconds.toFixed(1)} s, ${report.failed} failed, ${report.cut} cut, ` +
      `${report.askedToReconnect} connections asked to reconnect, ${report.unfinished} unfinished, ` +
      `sent up to ${report.lagMs.max} ms late`,
    ...table,
    ...(reasons.length === 0 ? [] : [`failures: ${reasons.join(", ")}`]),
  ].join("\n");
}

function shown(percentiles: Percentiles, at: "p50" | "p95" | "p99" | "max"): string {
  return percentiles.count === 0 ? "-" : percentiles[at].toFixed(1);
}
