import type { Series } from "./response.ts";

/** Which labels of the source carry what the scrape configuration adds. */
export interface SourceLabels {
  /** Label with the namespace of the pod. Default "namespace". */
  readonly namespace: string;
  /** Label with the name of the pod. Default "pod". */
  readonly pod: string;
}

export const DEFAULT_LABELS: SourceLabels = { namespace: "namespace", pod: "pod" };

/** The labels that the bridge itself gives its series; all others name the scraped target. */
const OWN_LABELS = new Set([
  "__name__",
  "route",
  "cache",
  "domain",
  "le",
  "kind",
  "reason",
  "direction",
  "isolate",
  "pool",
  "result",
  "worker",
  // `job` names the scrape job; the bridge's own label of that name arrives as exported_job.
  "exported_job",
  "tier",
  "upstream",
  "code",
  "secret",
]);

/** What was scraped at one address: one process, or several one after the other. */
export interface Target {
  /** All labels of the target as text; stable between queries. */
  readonly key: string;
  readonly pod: string;
  readonly revision: string;
  readonly series: readonly Series[];
}

/** The labels that the process itself gave a series. */
export const ownLabels = (labels: Series["labels"]): Record<string, string> =>
  Object.fromEntries(Object.entries(labels).filter(([label]) => OWN_LABELS.has(label)));

/** Sorts series by the target that they were scraped from. Series that name no pod or no revision are not ours. */
export function targetsOf(series: readonly Series[], labels: SourceLabels): Target[] {
  const targets = new Map<string, { pod: string; revision: string; series: Series[] }>();
  for (const one of series) {
    const pod = one.labels[labels.pod];
    const revision = one.labels.revision;
    if (!pod || !revision) continue;
    const key = JSON.stringify(
      Object.entries(one.labels)
        .filter(([label]) => !OWN_LABELS.has(label))
        .sort(([a], [b]) => (a < b ? -1 : 1)),
    );
    const target = targets.get(key) ?? { pod, revision, series: [] };
    target.series.push(one);
    targets.set(key, target);
  }
  return [...targets].map(([key, target]) => ({ key, ...target }));
}

/**
 * One target at a time for every pod, for gauges and rates: where two were scraped at once (two scrape jobs find the same pod), the one with
 * the most samples is kept. Targets that follow each other (the pod got a new address) are all kept. Counters: one-process.ts.
 */
export function withoutDuplicates(targets: readonly Target[]): Target[] {
  const spans = targets.map((target) => ({ target, ...spanOf(target) }));
  const ordered = spans.toSorted((a, b) => b.size - a.size || (a.target.key < b.target.key ? -1 : 1));
  const kept: typeof spans = [];
  for (const span of ordered) {
    const clash = kept.some(
      (other) =>
        other.target.pod === span.target.pod && other.firstMs <= span.lastMs && span.firstMs <= other.lastMs,
    );
    if (!clash) kept.push(span);
  }
  return kept.map(({ target }) => target);
}

function spanOf(target: Target): { size: number; firstMs: number; lastMs: number } {
  let size = 0;
  let firstMs = Number.POSITIVE_INFINITY;
  let lastMs = Number.NEGATIVE_INFINITY;
  for (const { samples } of target.series) {
    size += samples.length;
    firstMs = Math.min(firstMs, samples[0]?.atMs ?? firstMs);
    lastMs = Math.max(lastMs, samples.at(-1)?.atMs ?? lastMs);
  }
  return { size, firstMs, lastMs };
}

/** Time of the newest sample of any series of the target. */
export function newestMs(target: Target): number {
  return spanOf(target).lastMs;
}
