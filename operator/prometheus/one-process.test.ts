import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { increases } from "./increases.ts";
import { onePerPod } from "./one-process.ts";
import { DEFAULT_LABELS, targetsOf } from "./pods.ts";
import type { Sample, Series } from "./response.ts";

const START = "process_start_time_seconds";

/** What one scrape job has of the pod: a counter, and the start of its process. */
function scraped(job: string, samples: readonly Sample[], starts: readonly Sample[] | undefined): Series[] {
  const labels = { namespace: "ai", pod: "a", revision: "new", job };
  const of = (name: string, some: readonly Sample[]): Series => ({
    labels: { ...labels, __name__: name },
    samples: some,
  });
  return [of("c", samples), ...(starts === undefined ? [] : [of(START, starts)])];
}

const at = (...points: readonly (readonly [number, number])[]): Sample[] =>
  points.map(([atMs, value]) => ({ atMs, value }));

const pods = (series: readonly Series[], before: readonly Series[] = []) =>
  onePerPod(targetsOf(series, DEFAULT_LABELS), targetsOf(before, DEFAULT_LABELS), START);

const counter = (series: readonly Series[], before?: readonly Series[]) =>
  pods(series, before)[0]
    ?.inside?.series.find(({ labels }) => labels.__name__ === "c")
    ?.samples.map((one) => one.value);

describe("a pod that two jobs scrape", () => {
  it("is one process with the samples of both", () => {
    const series = [
      ...scraped("x", at([0, 1], [10, 5]), at([0, 0], [10, 0])),
      ...scraped("y", at([4, 3], [14, 9]), at([4, 0], [14, 0])),
    ];
    expect(pods(series)).toHaveLength(1);
    expect(counter(series)).toEqual([1, 3, 5, 9]);
  });

  it("has no reset where a scrape was read after one that began later", () => {
    const starts = at([0, 0], [10, 0], [11, 0], [20, 0]);
    const series = [
      ...scraped("x", at([0, 10], [10, 30], [20, 40]), starts),
      ...scraped("y", at([11, 28]), starts),
    ];
    expect(counter(series)).toEqual([10, 30, 40]);
  });

  it("has no reset either where the later scrape was the last of the window before", () => {
    const before = scraped("y", at([10, 30]), at([10, 0]));
    expect(counter(scraped("x", at([11, 28], [20, 40]), at([11, 0], [20, 0])), before)).toEqual([40]);
  });

  it("resets as any other where it restarts", () => {
    const before = scraped("y", at([10, 30]), at([10, 0]));
    expect(counter(scraped("x", at([11, 28], [20, 40]), at([11, 5], [20, 5])), before)).toEqual([28, 40]);
  });

  it("has no second restart where the old process was read last", () => {
    const series = [
      ...scraped("x", at([0, 50], [10, 2]), at([0, 0], [10, 9])),
      ...scraped("y", at([11, 55], [21, 7]), at([11, 0], [21, 9])),
    ];
    expect(counter(series)).toEqual([50, 2, 7]);
  });

  it("is counted on where the clock of its node was set back before it restarted", () => {
    const starts = at([0, 500], [15_000, 380], [30_000, 380], [75_000, 380], [90_000, 380]);
    const series = [
      ...scraped("x", at([0, 50], [15_000, 2], [30_000, 3], [75_000, 7], [90_000, 9]), starts),
      ...scraped("y", at([5_000, 55]), at([5_000, 500])),
    ];
    expect(counter(series)).toEqual([50, 55, 7, 9]);
  });

  it("is read by one job where none says when the process began", () => {
    const series = [
      ...scraped("y", at([0, 1], [10, 5]), undefined),
      ...scraped("x", at([4, 3], [14, 2]), undefined),
    ];
    expect(counter(series)).toEqual([3, 2]);
  });

  it("counts each request once, whichever passes are made and whichever jobs come and go", () => {
    const job = fc.record({
      everyMs: fc.integer({ min: 3, max: 40 }),
      fromMs: fc.nat(200),
      forMs: fc.nat(600),
    });
    const run = fc.record({
      jobs: fc.array(job, { minLength: 1, maxLength: 3 }),
      passes: fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 12 }),
      perMs: fc.integer({ min: 1, max: 4 }),
      lateMs: fc.nat(4),
    });
    fc.assert(
      fc.property(run, ({ jobs, passes, perMs, lateMs }) => {
        // Each scrape reads a moment after the time that it carries; every second job is the slower one.
        const samplesOf = ({ everyMs, fromMs, forMs }: (typeof jobs)[number], index: number): Sample[] =>
          Array.from(
            { length: Math.floor(forMs / everyMs) + 1 },
            (_, scrape) => fromMs + scrape * everyMs,
          ).map((atMs) => ({ atMs, value: (atMs + (index % 2) * lateMs) * perMs }));
        const all = jobs.map(samplesOf);
        const between = (fromMs: number, toMs: number) =>
          all.flatMap((samples, index) => {
            const inside = samples.filter(({ atMs }) => atMs > fromMs && atMs <= toMs);
            const starts = inside.map(({ atMs }) => ({ atMs, value: 0 }));
            return inside.length === 0 ? [] : scraped(`job-${index}`, inside, starts);
          });
        const before = (fromMs: number) =>
          all.flatMap((samples, index) => {
            const last = samples.findLast(({ atMs }) => atMs <= fromMs);
            if (last === undefined) return [];
            return scraped(`job-${index}`, at([fromMs, last.value]), at([fromMs, 0]));
          });
        let counted = 0;
        let fromMs = 0;
        for (const length of passes) {
          const toMs = fromMs + length;
          for (const pod of pods(between(fromMs, toMs), before(fromMs)))
            for (const { amount } of increases(pod.inside, pod.before, { newSinceMs: 0, startMetric: START }))
              counted += amount;
          fromMs = toMs;
        }
        const shown = all.flat().filter(({ atMs }) => atMs <= fromMs && atMs > 0);
        const first = all.flat().filter(({ atMs }) => atMs <= 0);
        const most = (some: readonly Sample[]) => Math.max(0, ...some.map(({ value }) => value));
        expect(counted).toBe(Math.max(0, most(shown) - most(first)));
      }),
      { numRuns: 500 },
    );
  });
});
