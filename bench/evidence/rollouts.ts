import type { EvidenceConfig } from "../../operator/evidence/config.ts";
import { type Scenario, seededRandom, simulateRollout } from "../../operator/evidence/simulated-traffic.ts";

/**
 * Measures the error probabilities and the detection times that docs/concepts/evidence.md states.
 * Run: node bench/evidence/rollouts.ts [runs, default 1000]. Seeded: the same figures every time.
 */
const runs = Number(process.argv[2] ?? 1000);

const config: EvidenceConfig = {
  signals: { errors: { rollbackAbove: 0.001, promoteBelow: 0.01 } },
  falseRollback: 0.01,
  falsePromotion: 0.05,
  subject: "simulated",
};
const demo: Scenario = {
  intervalMs: 5000,
  requestsPerSecond: 300,
  wave: 0,
  weights: [0.25],
  runMs: 300_000,
  historyMs: 600_000,
  pods: { canary: 1, stable: 3 },
  stableRate: 0,
  extra: 0,
  correlation: 0,
};
const production: Scenario = {
  ...demo,
  intervalMs: 60_000,
  requestsPerSecond: 10,
  wave: 0.5,
  weights: [0.05, 0.1, 0.25, 0.5],
  runMs: 3_600_000,
  historyMs: 7_200_000,
  stableRate: 0.01,
};

function measure(title: string, scenario: Scenario, judged: EvidenceConfig): void {
  const random = seededRandom(20_260_101);
  const outcomes = Array.from({ length: runs }, () => simulateRollout(scenario, judged, random));
  const worse = outcomes.flatMap(({ worseMs }) => (worseMs === undefined ? [] : [worseMs]));
  const below = outcomes.flatMap(({ belowMs }) => (belowMs === undefined ? [] : [belowMs]));
  const exposed = median(outcomes.map((outcome) => outcome.exposed));
  const missed = outcomes.filter((outcome) => !outcome.covered).length;
  const percent = (part: number) => `${((100 * part) / runs).toFixed(1)}%`.padStart(7);
  const seconds = (times: number[]) =>
    times.length === 0 ? "      -" : `${Math.round(median(times) / 1000)} s`.padStart(7);
  console.log(
    `${title.padEnd(58)} ${percent(worse.length)} ${seconds(worse)} ${percent(below.length)} ${seconds(below)} ${String(Math.round(exposed)).padStart(7)} ${percent(missed)}`,
  );
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

function heading(title: string): void {
  console.log(`\n${title}`);
  console.log(`${"".padEnd(58)}   worse  median   below  median exposed  missed`);
}

heading(
  `Errors of judgement: a share of ${runs} rollouts, looked at after every interval (stated: worse 1%, below 5%)`,
);
for (const correlation of [0, 0.003, 0.01, 0.03]) {
  measure(`same version, 1% errors, correlation ${correlation}`, { ...production, correlation }, config);
}
for (const correlation of [0, 0.01]) {
  measure(
    `exactly rollbackAbove (0.1 points) worse, correlation ${correlation}`,
    { ...production, extra: 0.001, correlation },
    config,
  );
  measure(
    `exactly promoteBelow (1 point) worse, correlation ${correlation}`,
    { ...production, extra: 0.01, correlation },
    {
      ...config,
      falseRollback: 0,
    },
  );
}
measure("same version, no errors", demo, config);
measure("exactly rollbackAbove worse, stable without errors", { ...demo, extra: 0.001 }, config);
measure(
  "exactly promoteBelow worse, stable without errors",
  { ...demo, extra: 0.01 },
  { ...config, falseRollback: 0 },
);
measure(
  "exactly promoteBelow worse, stable 0.1% errors, bursts 0.01",
  { ...demo, stableRate: 0.001, extra: 0.01, correlation: 0.01 },
  { ...config, falseRollback: 0 },
);
measure(
  "same version, 0.1% errors in bursts, correlation 0.01",
  { ...demo, stableRate: 0.001, correlation: 0.01 },
  config,
);
measure(
  "same version, 0.1% errors in bursts, no history",
  { ...demo, stableRate: 0.001, correlation: 0.01, historyMs: 0 },
  config,
);

heading("Detection, 300 requests/s, canary 25%, interval 5 s, stable without errors");
for (const extra of [0.003, 0.005, 0.01, 0.02, 0.05, 0.2, 1]) {
  measure(`canary ${(extra * 100).toFixed(1)}% errors`, { ...demo, extra: Math.min(extra, 0.999) }, config);
}
measure(
  "nothing for half the time, then all traffic and 2.0% errors",
  { ...demo, weights: [0.25, 1], extra: 0.02, worseFromMs: 150_000 },
  config,
);
measure("the same without errors", { ...demo, weights: [0.25, 1] }, config);
heading("Detection, 30 requests/s, canary 25%, interval 5 s, stable without errors");
for (const extra of [0, 0.01, 0.05, 0.2]) {
  measure(`canary ${(extra * 100).toFixed(1)}% errors`, { ...demo, requestsPerSecond: 30, extra }, config);
}
heading(
  "Detection, 10 requests/s with a wave of 50%, canary 5/10/25/50% in an hour, interval 60 s, stable 1% errors",
);
for (const correlation of [0, 0.01]) {
  for (const extra of [0.005, 0.01, 0.02, 0.04, 0.09]) {
    measure(
      `canary ${((0.01 + extra) * 100).toFixed(1)}% errors, correlation ${correlation}`,
      { ...production, extra, correlation },
      config,
    );
  }
}
measure("canary 5% errors from minute 30 on", { ...production, extra: 0.04, worseFromMs: 1_800_000 }, config);
