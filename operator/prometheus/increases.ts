import type { Target } from "./pods.ts";
import type { Series } from "./response.ts";

/** Growth of one counter, booked at the sample that shows it. */
export interface Increase {
  readonly labels: Readonly<Record<string, string>>;
  readonly atMs: number;
  readonly amount: number;
}

export interface CounterWindow {
  /** A process that was never scraped before counts from 0 if it started at or after this. Unix milliseconds. */
  readonly newSinceMs: number;
  /** Name of the gauge with the start of the process, Unix seconds. */
  readonly startMetric: string;
}

/**
 * What the counters of a target grew by, between samples that follow each other, so that every request is counted in exactly one place:
 * - a value below the one before, or another start of the process, is a reset: the value itself is the growth;
 * - the first sample of a series counts in full where the process was scraped before without it (it began at 0), or where the process
 *   itself is new; else it is only what later samples are compared with. So is the first one after a series that showed no number (no samples).
 *
 * `target` holds the samples of the window, `before` the last one of every series before it.
 */
export function increases(target: Target, before: Target | undefined, window: CounterWindow): Increase[] {
  const { newSinceMs, startMetric } = window;
  const starts = startsOf(target, startMetric);
  const known = new Map(
    (before?.series ?? []).map((series) => [keyOf(series), series.samples.at(-1)?.value]),
  );
  const startBefore = before === undefined ? undefined : [...startsOf(before, startMetric).values()].at(-1);
  const seenFromMs = before === undefined ? firstMs(target) : Number.NEGATIVE_INFINITY;

  return target.series.flatMap((series) => {
    if (series.labels.__name__ === startMetric) return [];
    const key = keyOf(series);
    const hadNoNumber = known.has(key) && known.get(key) === undefined;
    let previous = known.get(key);
    let previousStart = startBefore;
    return series.samples.flatMap(({ atMs, value }): Increase[] => {
      const start = starts.get(atMs) ?? previousStart;
      const amount = growth(
        { previous, value, restarted: isRestart(previousStart, start) },
        () => !hadNoNumber && (atMs > seenFromMs || (start !== undefined && start * 1000 >= newSinceMs)),
      );
      previous = value;
      previousStart = start;
      return amount > 0 ? [{ labels: series.labels, atMs, amount }] : [];
    });
  });
}

function growth(
  sample: { previous: number | undefined; value: number; restarted: boolean },
  countsInFull: () => boolean,
): number {
  const { previous, value, restarted } = sample;
  if (previous === undefined) return countsInFull() ? value : 0;
  return restarted || value < previous ? value : value - previous;
}

/** Starts are whole seconds in some clients. */
function isRestart(before: number | undefined, now: number | undefined): boolean {
  return before !== undefined && now !== undefined && Math.abs(now - before) >= 1;
}

function firstMs(target: Target): number {
  return Math.min(...target.series.map(({ samples }) => samples[0]?.atMs ?? Number.POSITIVE_INFINITY));
}

function startsOf(target: Target, startMetric: string): Map<number, number> {
  const series = target.series.find(({ labels }) => labels.__name__ === startMetric);
  return new Map((series?.samples ?? []).map(({ atMs, value }) => [atMs, value]));
}

export function keyOf(series: Pick<Series, "labels">): string {
  return JSON.stringify(Object.entries(series.labels).sort(([a], [b]) => (a < b ? -1 : 1)));
}
