import type { Gate } from "../../operator/api/v1alpha1/rollout.ts";
import type { EvidenceConfig } from "../../operator/evidence/config.ts";
import { type GateReadings, observeGates } from "../../operator/evidence/gates.ts";
import { startEvidence } from "../../operator/evidence/state.ts";
import { randomStream } from "./world.ts";

/** An hour of intervals of 15 s. */
const LOOKS = 240;
const INTERVAL_MS = 15_000;
const LIMIT_SECONDS = 0.12;
/** Deviation of a gauge from look to look, as a share of the limit. */
const NOISE = 0.1;

interface Gauges {
  readonly title: string;
  /** How far the gauge is from its limit, in standard deviations; below it is negative. */
  readonly at: number;
  readonly gates: number;
  /** Intervals that a value is the mean over, as rates and percentiles are. Default 1: it is so at one moment. */
  readonly window?: number;
  /** Coefficient of an AR(1) from interval to interval. Default 0. */
  readonly autocorrelation?: number;
}

function series(gauges: Gauges, random: () => number): number[] {
  const { at, window = 1, autocorrelation = 0 } = gauges;
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  let level = normal();
  const values = Array.from({ length: LOOKS + window - 1 }, () => {
    level = autocorrelation * level + Math.sqrt(1 - autocorrelation ** 2) * normal();
    return level;
  });
  return Array.from({ length: LOOKS }, (_, look) => {
    const sum = values.slice(look, look + window).reduce((total, one) => total + one, 0);
    return LIMIT_SECONDS * (1 + NOISE * (at + sum / Math.sqrt(window)));
  });
}

/** Looks to the rollback by the operator and by three in a row; undefined for none. */
function judged(
  gauges: Gauges,
  seed: number,
  stream: number,
): { ours: number | undefined; row: number | undefined } {
  const random = randomStream(seed, stream);
  const all = Array.from({ length: gauges.gates }, () => series(gauges, random));
  const rows = all.map(
    (values) =>
      values.findIndex((_, look) => look >= 2 && values.slice(look - 2, look + 1).every(isOver)) + 1,
  );
  const found = rows.filter((look) => look > 0);
  const ours = all.map((values) => operatorLooks(values, gauges)).filter((look) => look !== undefined);
  return {
    ours: ours.length === 0 ? undefined : Math.min(...ours),
    row: found.length === 0 ? undefined : Math.min(...found),
  };
}

const isOver = (value: number) => value >= LIMIT_SECONDS;

function operatorLooks(values: readonly number[], { gates, window = 1 }: Gauges): number | undefined {
  const config: EvidenceConfig = {
    signals: { errors: { rollbackAbove: 0.001, promoteBelow: 0.01 } },
    gates,
    falseRollback: 0.01,
    falsePromotion: 0.05,
    subject: "simulated",
  };
  const gate: Gate = { name: "p95", metric: "FirstByteP95", below: "120ms", dryRun: false };
  let state = startEvidence(config, {}, 0);
  for (const [index, value] of values.entries()) {
    const windowMs = window === 1 ? 0 : window * INTERVAL_MS;
    const readings: GateReadings = { FirstByteP95: { canary: [value], stable: [], windowMs } };
    const seen = observeGates(state, config, [gate], readings, (index + 1) * INTERVAL_MS);
    if (seen.verdicts[0]?.category === "Violated") return index + 1;
    state = seen.state;
  }
  return undefined;
}

function rowOf(gauges: Gauges, seed: number, runs: number): string {
  const outcomes = Array.from({ length: runs }, (_, run) => judged(gauges, seed, run));
  const cell = (looks: (number | undefined)[]) => {
    const found = looks.filter((look) => look !== undefined).sort((a, b) => a - b);
    const median = found[Math.floor(found.length / 2)];
    const share = `${((100 * found.length) / runs).toFixed(1)}%`;
    return median === undefined ? share : `${share}, ${((median * INTERVAL_MS) / 60_000).toFixed(1)}`;
  };
  const ours = cell(outcomes.map((one) => one.ours));
  return `| ${gauges.title} | ${ours} | ${cell(outcomes.map(({ row }) => row))} |`;
}

const WITHIN: readonly Gauges[] = [
  { title: "2 deviations within the limit, one gate", at: -2, gates: 1 },
  { title: "1 deviation within, one gate", at: -1, gates: 1 },
  { title: "1 deviation within, sixteen gates", at: -1, gates: 16 },
  { title: "exactly at the limit, one gate", at: 0, gates: 1 },
  { title: "exactly at the limit, sixteen gates", at: 0, gates: 16 },
  { title: "2 deviations within, means over a minute", at: -2, gates: 1, window: 4 },
  { title: "1 deviation within, means over a minute", at: -1, gates: 1, window: 4 },
  { title: "exactly at the limit, means over a minute", at: 0, gates: 1, window: 4 },
  { title: "2 deviations within, AR(1) 0.8", at: -2, gates: 1, autocorrelation: 0.8 },
  { title: "1 deviation within, AR(1) 0.8", at: -1, gates: 1, autocorrelation: 0.8 },
  { title: "exactly at the limit, AR(1) 0.5", at: 0, gates: 1, autocorrelation: 0.5 },
  { title: "exactly at the limit, AR(1) 0.8", at: 0, gates: 1, autocorrelation: 0.8 },
];
const OVER: readonly Gauges[] = [
  { title: "1 deviation over, one gate", at: 1, gates: 1 },
  { title: "2 deviations over, one gate", at: 2, gates: 1 },
  { title: "half as much again as the limit, one gate", at: 5, gates: 1 },
  { title: "the same, sixteen gates", at: 5, gates: 16 },
  { title: "the same, means over a minute", at: 5, gates: 1, window: 4 },
  { title: "three times the limit, one gate", at: 20, gates: 1 },
  { title: "the same, means over a minute", at: 20, gates: 1, window: 4 },
];

/** How often gates roll back a version that keeps its limits, and how soon one that does not, beside the rule "three intervals in a row". Markdown. */
export function gateTable(seed: number, runs: number): string {
  return [
    `| ${runs.toLocaleString("en")} hours: rolled back, median minute | operator (1%) | three intervals in a row |`,
    "|---|---|---|",
    ...[...WITHIN, ...OVER].map((gauges) => rowOf(gauges, seed, runs)),
  ].join("\n");
}
