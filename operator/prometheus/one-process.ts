import { ownLabels, type Target } from "./pods.ts";
import type { Sample, Series } from "./response.ts";

/** What was scraped of a pod in a window, and the last sample of each of its series before that. */
export interface PodSamples {
  readonly inside: Target;
  readonly before: Target | undefined;
}

/**
 * A pod is one process at a time, however many scrape jobs find it and whatever its address is. So the samples of all its targets are put
 * into one row: each request is then counted by the first sample that shows it. Choosing one target instead would lose or double what came
 * between two scrapes each time that another is chosen.
 *
 * A sample carries the time at which its scrape began, and may have been read after one that carries a later time. What is behind a sample
 * before it (an earlier start of the process within a minute, or a lower value of the same) is left out: it is no reset. With one target alone it is one.
 *
 * Targets without the start of their process cannot be told apart from one that restarts; of these only one is used.
 *
 * @param startMetric gauge with the start of the process, Unix seconds
 */
export function onePerPod(
  inside: readonly Target[],
  before: readonly Target[],
  startMetric: string,
): PodSamples[] {
  const earlier = Map.groupBy(before, ({ pod }) => pod);
  return [...Map.groupBy(inside, ({ pod }) => pod)].flatMap(([pod, found]): PodSamples[] => {
    const keys = usable(found, earlier.get(pod) ?? [], startMetric);
    const targets = found.filter(({ key }) => keys.has(key));
    const known = (earlier.get(pod) ?? []).filter(({ key }) => keys.has(key));
    const [only] = targets;
    if (only === undefined) return [];
    if (keys.size === 1) return [{ inside: only, before: known[0] }];
    const last = rowsOf(known, startMetric);
    const merged = inOneRow(only, rowsOf(targets, startMetric), last);
    return [{ inside: merged, before: last.size === 0 ? undefined : inOneRow(only, last, new Map()) }];
  });
}

/** Keys of the targets that say when their process began, or else that of the first one. */
function usable(found: readonly Target[], known: readonly Target[], startMetric: string): Set<string> {
  const dated = (some: readonly Target[]): string[] =>
    some.filter((one) => startsOf(one, startMetric).length > 0).map(({ key }) => key);
  const inside = dated(found);
  const [first = ""] = found.map(({ key }) => key).sort();
  return new Set(inside.length > 0 ? [...inside, ...dated(known)] : [first]);
}

interface Dated extends Sample {
  /** Start of the process that it was read from. */
  readonly startS: number;
}

interface Row {
  readonly labels: Series["labels"];
  readonly samples: Dated[];
}

/** Series of all targets by the labels that the process gave them. */
function rowsOf(targets: readonly Target[], startMetric: string): Map<string, Row> {
  const rows = new Map<string, Row>();
  for (const target of targets) {
    const starts = startsOf(target, startMetric);
    for (const series of target.series) {
      const labels = ownLabels(series.labels);
      const key = JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)));
      const row = rows.get(key) ?? { labels, samples: [] };
      row.samples.push(...series.samples.map((one) => ({ ...one, startS: startAt(starts, one.atMs) })));
      rows.set(key, row);
    }
  }
  return rows;
}

function inOneRow(
  { pod, revision }: Pick<Target, "pod" | "revision">,
  rows: ReadonlyMap<string, Row>,
  last: ReadonlyMap<string, Row>,
): Target {
  const series = [...rows].map(([key, { labels, samples }]) => ({
    labels,
    samples: onward(samples, onward(last.get(key)?.samples ?? []).at(-1)),
  }));
  return { key: pod, pod, revision, series };
}

const startsOf = ({ series }: Target, startMetric: string): readonly Sample[] =>
  series.find(({ labels }) => labels.__name__ === startMetric)?.samples ?? [];

/** By the newest sample of the start up to then; what is older than the first belongs to that one. */
const startAt = (starts: readonly Sample[], atMs: number): number =>
  (starts.findLast((one) => one.atMs <= atMs) ?? starts[0])?.value ?? 0;

/** Starts are whole seconds in some clients. */
const SAME_START_S = 1;
/** No scrape takes longer. What says an earlier start after that is the next process, on a node whose clock was set back between the two. */
const LONGEST_SCRAPE_MS = 60_000;

/** In order of time, without what was read before a sample that stands before it, or before the last one of the window before. */
function onward(samples: readonly Dated[], before?: Dated): Dated[] {
  const ordered = samples.toSorted((a, b) => a.atMs - b.atMs || a.startS - b.startS || a.value - b.value);
  let last = before;
  return ordered.filter((sample) => {
    const ahead = last === undefined ? Number.POSITIVE_INFINITY : sample.startS - last.startS;
    const isLate = last !== undefined && sample.atMs - last.atMs <= LONGEST_SCRAPE_MS;
    const isBehind =
      (ahead <= -SAME_START_S && isLate) ||
      (Math.abs(ahead) < SAME_START_S && sample.value < (last?.value ?? 0));
    if (isBehind) return false;
    last = sample;
    return true;
  });
}
