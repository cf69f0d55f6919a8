import { METRICS } from "../../contract/metrics.ts";
import { measureBaseline } from "../../operator/evidence/baseline.ts";
import { parseCheckpoint, serialiseCheckpoint } from "../../operator/evidence/checkpoint.ts";
import type { EvidenceConfig, Margins } from "../../operator/evidence/config.ts";
import type { HistoryInterval, IntervalCounts } from "../../operator/evidence/counts.ts";
import { judge } from "../../operator/evidence/judge.ts";
import { observeInterval } from "../../operator/evidence/observe.ts";
import { startEvidence } from "../../operator/evidence/state.ts";
import { START_METRIC } from "../../operator/prometheus/counting.ts";
import { type PodIncrease, pairedIntervals } from "../../operator/prometheus/grid.ts";
import { increases } from "../../operator/prometheus/increases.ts";
import { type Arm, type Hour, MINUTES, PAST_MINUTES } from "./world.ts";

const MINUTE_MS = 60_000;
const START_MS = 1_700_000_040_000;

/** PodRestarts: counters begin anew and what was not scraped is lost. OperatorRestarts: it goes on from an older checkpoint. */
export type Disturbance = "PodRestarts" | "OperatorRestarts";

/** Minutes before which the operator dies, and how old the checkpoint is that it finds. */
const OPERATOR_RESTARTS: ReadonlySet<number> = new Set([12, 29, 44]);
const LOST_MINUTES = 3;
/** Minutes in which the only pod of a version restarts. */
const POD_RESTARTS = { canary: [10, 25, 40], stable: [20, 50] } as const;
const SCRAPES_PER_MINUTE = 4;

/** log M of both questions after every minute, as `judge` tells it. */
export interface Looks {
  readonly worse: Float64Array;
  readonly below: Float64Array;
}

/**
 * The operator's own code on one hour: baseline, intervals, checkpoints, verdicts.
 * @param until the question that is asked, and log M at which nothing more is looked at; later looks are 0.
 */
export function judgeHour(
  hour: Hour,
  margins: Margins,
  until: { readonly question: keyof Looks; readonly log: number },
  disturbance?: Disturbance,
): Looks {
  const config: EvidenceConfig = {
    signals: { errors: margins },
    falseRollback: 0,
    falsePromotion: 0,
    subject: "simulated",
  };
  const intervals = disturbance === "PodRestarts" ? scraped(hour) : counted(hour);
  let state = startEvidence(config, measureBaseline({ errors: pastOf(hour) }), START_MS);
  const checkpoints: string[] = [];
  const looks: Looks = { worse: new Float64Array(MINUTES), below: new Float64Array(MINUTES) };
  for (let minute = 0; minute < MINUTES; minute++) {
    if (disturbance === "OperatorRestarts") {
      checkpoints.push(serialiseCheckpoint(state));
      if (OPERATOR_RESTARTS.has(minute)) {
        const resumed = parseCheckpoint(checkpoints[minute - LOST_MINUTES] ?? "");
        if (resumed === undefined) throw new Error("The checkpoint is not read back.");
        // What came since is read again, and more than that.
        state = intervals
          .slice(minute - 2 * LOST_MINUTES, minute)
          .reduce((before, interval) => observeInterval(before, config, interval), resumed);
      }
    }
    const interval = intervals[minute];
    if (interval !== undefined) state = observeInterval(state, config, interval);
    const [verdict] = judge(state, config);
    looks.worse[minute] = verdict?.logEWorse ?? 0;
    looks.below[minute] = verdict?.logEBelow ?? 0;
    if ((looks[until.question][minute] ?? 0) >= until.log) break;
  }
  return looks;
}

function pastOf({ past }: Hour): HistoryInterval[] {
  return Array.from({ length: PAST_MINUTES }, (_, index) => ({
    endMs: START_MS - (PAST_MINUTES - index - 1) * MINUTE_MS,
    pods: [{ pod: "stable", counts: { requests: past.requests[index] ?? 0, bad: past.bad[index] ?? 0 } }],
  }));
}

function counted({ canary, stable }: Hour): IntervalCounts[] {
  const of = ({ requests, bad }: Arm, minute: number) => ({
    requests: requests[minute] ?? 0,
    bad: bad[minute] ?? 0,
  });
  return Array.from({ length: MINUTES }, (_, minute) => ({
    endMs: START_MS + (minute + 1) * MINUTE_MS,
    signals: { errors: { canary: of(canary, minute), stable: of(stable, minute) } },
  }));
}

/** The same hour as counters that are scraped four times a minute, and read back as the operator reads them. */
function scraped({ canary, stable }: Hour): IntervalCounts[] {
  const grid = { fromMs: START_MS, intervalMs: MINUTE_MS, count: MINUTES };
  const increases = [...grownBy("canary", canary), ...grownBy("stable", stable)];
  return pairedIntervals(grid, { increases, missing: {} }, { canary: "canary", stable: "stable" }, undefined);
}

function grownBy(revision: "canary" | "stable", arm: Arm): PodIncrease[] {
  const restarts: ReadonlySet<number> = new Set(POD_RESTARTS[revision]);
  const total = { requests: 0, bad: 0, start: START_MS / 1000 - 3600 };
  const samples = { requests: [sample(0, 0)], bad: [sample(0, 0)], start: [sample(0, total.start)] };
  for (let index = 0; index < MINUTES * SCRAPES_PER_MINUTE; index++) {
    const [minute, scrape] = [Math.floor(index / SCRAPES_PER_MINUTE), index % SCRAPES_PER_MINUTE];
    const requests = quarter(arm.requests[minute] ?? 0, scrape);
    const bad = quarter(arm.bad[minute] ?? 0, scrape);
    if (scrape === 2 && restarts.has(minute)) {
      // It dies before this scrape; what it counted since the last one is never read.
      Object.assign(total, { requests: 0, bad: 0, start: total.start + 60 });
    } else {
      total.requests += requests;
      total.bad += bad;
    }
    samples.requests.push(sample(index + 1, total.requests));
    samples.bad.push(sample(index + 1, total.bad));
    samples.start.push(sample(index + 1, total.start));
  }
  const target = {
    key: revision,
    pod: revision,
    revision,
    series: [
      { labels: { __name__: METRICS.requests }, samples: samples.requests },
      { labels: { __name__: METRICS.errors }, samples: samples.bad },
      { labels: { __name__: START_METRIC }, samples: samples.start },
    ],
  };
  const window = { newSinceMs: START_MS, startMetric: START_METRIC };
  return increases(target, undefined, window).map((one) => ({ ...one, pod: revision, revision }));
}

function sample(scrape: number, value: number): { atMs: number; value: number } {
  return { atMs: START_MS + (scrape * MINUTE_MS) / SCRAPES_PER_MINUTE, value };
}

/** A part of a whole number, so that the parts add up to it. */
function quarter(count: number, part: number): number {
  return Math.floor((count + part) / SCRAPES_PER_MINUTE);
}
