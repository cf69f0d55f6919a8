// How long a watch after promotion runs to a false alarm, and how soon it finds what begins late, against what is stated.
// Run: node bench/evidence/watch.ts [runs, default 200]. Seeded.
import { measureBaseline } from "../../operator/evidence/baseline.ts";
import type { EvidenceConfig } from "../../operator/evidence/config.ts";
import { arrivals, binomial } from "../../operator/evidence/simulated-traffic.ts";
import { startEvidence } from "../../operator/evidence/state.ts";
import { startWatch, watchInterval } from "../../operator/evidence/watch.ts";
import { randomStream } from "./world.ts";

const RUNS = Number(process.argv[2] ?? 200);
/** Intervals of 15 s at 600 requests a minute; half an hour of the version before. */
const REQUESTS = 150;
const PAST_INTERVALS = 120;
const STABLE = 0.01;
const MOST_INTERVALS = 5000;

const config: EvidenceConfig = {
  signals: { errors: { rollbackAbove: 0.001, promoteBelow: 0.01 } },
  falseRollback: 0.01,
  falsePromotion: 0.05,
  subject: "simulated",
};

interface Watched {
  readonly title: string;
  /** Share of errors before and from interval `from` on. */
  readonly rate: number;
  readonly from: number;
  /** Whether a version with STABLE serves as much beside it. */
  readonly beside: boolean;
}

/** Intervals to the alarm; at most MOST_INTERVALS. */
function alarmAfter(watched: Watched, stated: number, stream: number): number {
  const random = randomStream(20_261_123, stream);
  const counts = (rate: number) => {
    const requests = arrivals(random, REQUESTS);
    return { requests, bad: binomial(random, requests, rate) };
  };
  const past = Array.from({ length: PAST_INTERVALS }, (_, index) => ({
    endMs: index,
    pods: [{ pod: "a", counts: counts(STABLE) }],
  }));
  let state = startWatch(startEvidence(config, measureBaseline({ errors: past }), 0));
  while (state.intervals < MOST_INTERVALS && (state.signals.errors?.worseMost ?? 0) < Math.log(stated)) {
    const canary = counts(state.intervals < watched.from ? STABLE : watched.rate);
    const stable = watched.beside ? counts(STABLE) : { requests: 0, bad: 0 };
    const interval = { endMs: state.intervals + 1, signals: { errors: { canary, stable } } };
    state = watchInterval(state, config, interval);
  }
  return state.intervals;
}

function measure(watched: Watched, stated: number): void {
  const alarms = Array.from({ length: RUNS }, (_, run) => alarmAfter(watched, stated, run) - watched.from);
  const mean = alarms.reduce((sum, one) => sum + one, 0) / RUNS;
  const median = alarms.toSorted((a, b) => a - b)[Math.floor(RUNS / 2)] ?? Number.NaN;
  const open = alarms.filter((one) => one + watched.from >= MOST_INTERVALS).length;
  console.log(
    `| ${watched.title} | ${stated} | ${open > 0 ? "over " : ""}${Math.round(mean)} | ${median} | ${((100 * open) / RUNS).toFixed(0)}% |`,
  );
}

console.log(
  `| ${RUNS} watches | stated run length | mean intervals to the alarm | median | none in ${MOST_INTERVALS} |`,
);
console.log("|---|---|---|---|---|");
for (const stated of [100, 500]) {
  measure(
    {
      title: "the version before beside it, exactly rollbackAbove worse",
      rate: STABLE + 0.001,
      from: 0,
      beside: true,
    },
    stated,
  );
  measure({ title: "alone, as good as the one before", rate: STABLE, from: 0, beside: false }, stated);
}
for (const from of [0, 1000]) {
  for (const rate of [0.03, 0.05, 0.2]) {
    measure(
      { title: `alone, ${rate * 100}% errors from interval ${from} on`, rate, from, beside: false },
      500_000,
    );
  }
}
