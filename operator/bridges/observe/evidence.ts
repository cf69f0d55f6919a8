import type { Analysis, Rollout } from "../../api/v1alpha1/rollout.ts";
import { durationMs } from "../../api/v1alpha1/scalars.ts";
import type { RolloutStatus } from "../../api/v1alpha1/status.ts";
import type { Baseline } from "../../evidence/baseline.ts";
import { type EvidenceConfig, evidenceConfig } from "../../evidence/config.ts";
import type { CountedIntervals, LatencyObjective, MetricSource, Reading } from "../../prometheus/source.ts";
import { hasBaseline } from "../../rollout/baseline.ts";
import { atMs } from "../../rollout/clock.ts";

/** The parts of a plan that say what is counted of a canary, and against what. */
export type Judging = Pick<Rollout, "analysis" | "baseline">;

/** The evidence about the present canary: beside the stable version, or beside its baseline, which is another question. */
export const canaryEvidence = (
  judging: Judging,
  state: RolloutStatus | undefined,
  scrapeMs: number | undefined,
): EvidenceConfig =>
  evidenceConfig(judging.analysis, hasBaseline(state, judging) ? "SameAge" : "Stable", scrapeMs);

/** What was read for the evidence of a canary in this pass. */
export type EvidenceReading =
  /** Nothing is gathered yet: the stable version's past, to start from. */
  | { readonly kind: "Baseline"; readonly canary: string; readonly reading: Reading<Baseline> }
  /** Intervals since the last one counted. */
  | { readonly kind: "Intervals"; readonly canary: string; readonly reading: Reading<CountedIntervals> }
  /** The source was asked and has not answered yet. */
  | { readonly kind: "Waiting"; readonly canary: string };

/** How much of the stable version's past is looked at for its rate and dispersion at least. */
const BASELINE_WINDOW_MS = 30 * 60_000;
/** Fewer intervals would not show whether bursts last. */
const BASELINE_INTERVALS = 120;

/**
 * Length of the intervals that are counted. A pod shows what it served only when it is scraped, always at the same offset: in shorter intervals than there
 * are between two scrapes, requests of a version are all in some of them and those of the other in others, and the two are never compared.
 */
export function countingMs({ interval }: Pick<Analysis, "interval">, scrapeMs: number | undefined): number {
  return Math.max(durationMs(interval), scrapeMs ?? 0);
}

/** From half an hour on, longer where intervals are. */
export function baselineWindowMs(intervalMs: number): number {
  return Math.max(BASELINE_WINDOW_MS, BASELINE_INTERVALS * intervalMs);
}

export function latencyObjective(analysis: Analysis): LatencyObjective | undefined {
  const { latency } = analysis;
  return latency && { signal: latency.signal, objectiveMs: durationMs(latency.objective) };
}

export interface EvidenceQuery {
  readonly namespace: string;
  readonly bridge: string;
  readonly stable: string;
  readonly canary: string;
  /** What the canary's requests are counted beside: the stable version, or its baseline. */
  readonly reference: string;
  readonly analysis: Analysis;
  /** End of the last counted interval; undefined while evidence has not been started. */
  readonly countedThroughMs: number | undefined;
  readonly readyPods: readonly string[];
  /** See pastEndMs. */
  readonly pastEndMs: number;
  readonly nowMs: number;
}

/**
 * Where the stable version's past ends: when the canary came in beside it, or now while none has. What began anew counts everything since then again, and a
 * version that has handed over served nothing of late.
 */
export const pastEndMs = (state: RolloutStatus | undefined, nowMs: number): number =>
  Math.min(nowMs, atMs(state?.evidenceSince) ?? nowMs);

/** Rate and dispersion of the stable version in the window before `endMs`. */
export function readPast(
  source: MetricSource,
  version: { readonly namespace: string; readonly bridge: string; readonly stable: string },
  analysis: Analysis,
  endMs: number,
): Promise<Reading<Baseline>> {
  const counted = grid(analysis, source);
  return source.readBaseline({
    ...version,
    ...counted,
    fromMs: endMs - baselineWindowMs(counted.intervalMs),
    toMs: endMs,
  });
}

/** Reads either the baseline (before anything is counted) or the intervals since the last counted one. */
export async function readEvidence(source: MetricSource, query: EvidenceQuery): Promise<EvidenceReading> {
  const { namespace, bridge, stable, canary, reference, analysis, nowMs } = query;
  if (query.countedThroughMs === undefined) {
    const reading = await readPast(source, { namespace, bridge, stable }, analysis, query.pastEndMs);
    return { kind: "Baseline", canary, reading };
  }
  const reading = await source.readIntervals({
    namespace,
    bridge,
    stable: reference,
    ...grid(analysis, source),
    canary,
    fromMs: query.countedThroughMs,
    toMs: nowMs,
    readyPods: query.readyPods,
  });
  return { kind: "Intervals", canary, reading };
}

function grid(
  analysis: Analysis,
  { scrapeIntervalMs }: MetricSource,
): { intervalMs: number; latency?: LatencyObjective } {
  const latency = latencyObjective(analysis);
  return { intervalMs: countingMs(analysis, scrapeIntervalMs), ...(latency ? { latency } : {}) };
}
