import type { RolloutStatus } from "../../api/v1alpha1/status.ts";
import type { EvidenceConfig } from "../../evidence/config.ts";
import { countedOverMs } from "../../evidence/counted-over.ts";
import { type IntervalCounts, SIGNALS } from "../../evidence/counts.ts";
import { judge, noDataVerdicts, type SignalVerdict } from "../../evidence/judge.ts";
import { observeInterval } from "../../evidence/observe.ts";
import { type EvidenceState, startEvidence } from "../../evidence/state.ts";
import type { Failing } from "../../prometheus/source.ts";
import { hasBaseline } from "../../rollout/baseline.ts";
import { atMs } from "../../rollout/clock.ts";
import { canaryEvidence, countingMs, type Judging } from "../observe/evidence.ts";
import { knownEvidence } from "../observe/known.ts";
import type { Snapshot } from "../snapshot.ts";
import { whyBehind } from "./behind.ts";

/** Evidence about the present canary after this pass's reading. */
export interface Evidence {
  readonly config: EvidenceConfig;
  /** The canary it is about; undefined while there is none. */
  readonly canary: string | undefined;
  readonly state: EvidenceState | undefined;
  readonly verdicts: readonly SignalVerdict[];
  /** Length of the intervals that it is counted over. */
  readonly intervalMs: number;
  /** Why there is no evidence, or none about now, if so. */
  readonly missing: string | undefined;
}

/** Folds the intervals that were read into what is known. Pure: the same reading gives the same evidence, whenever it is folded. */
export function gatherEvidence(snapshot: Snapshot, judging: Judging): Evidence {
  const { scrapeMs } = snapshot;
  const canary = snapshot.status.rollout?.canaryRevision;
  const known =
    canary === undefined
      ? undefined
      : knownEvidence(snapshot.status, snapshot.memory, canary, judging, scrapeMs);
  const countedMs = scrapeMs ?? (known && countedOverMs(known.subject));
  const config = canaryEvidence(judging, snapshot.status.rollout, countedMs);
  const intervalMs = countingMs(judging.analysis, countedMs);
  const none = (missing: string): Evidence => ({
    config,
    intervalMs,
    canary,
    state: undefined,
    verdicts: noDataVerdicts(config, missing),
    missing,
  });
  if (canary === undefined) return none("There is no canary.");
  const reading = snapshot.evidence;
  if (!known) {
    return none(unreadPast(reading, canary) ?? "The canary does not serve yet.");
  }
  const about = { config, canary, intervalMs };
  if (reading?.kind !== "Intervals" || reading.canary !== canary) {
    return { ...about, state: known, verdicts: judge(known, config), missing: undefined };
  }
  if (reading.reading.kind === "failing") {
    // What is proved stays proved; what is not waits for the source.
    return { ...about, state: known, verdicts: judge(known, config), missing: reading.reading.message };
  }
  const state = reading.reading.value.intervals.reduce(
    (before, interval) =>
      observeInterval(before, config, comparable(interval, intervalMs, judging, snapshot.status.rollout)),
    known,
  );
  const missing = whyBehind(reading.reading.value, state.intervalEndMs, intervalMs);
  return { ...about, state, verdicts: judge(state, config), missing };
}

/**
 * An interval as it counts. Without requests of its reference a canary is held against the stable version's past, which is of another age: beside a
 * baseline such an interval says nothing. Only where the canary has all of the traffic there is to be nobody beside it.
 */
function comparable(
  interval: IntervalCounts,
  intervalMs: number,
  judging: Judging,
  state: RolloutStatus | undefined,
): IntervalCounts {
  if (!hasBaseline(state, judging)) return interval;
  const aloneSince = state?.weight === 100 ? atMs(state.holdingSince) : undefined;
  const beginMs = interval.endMs - intervalMs;
  if (aloneSince !== undefined && beginMs >= aloneSince) return interval;
  const { signals } = interval;
  const compared = SIGNALS.filter((signal) => (signals[signal]?.stable.requests ?? 0) > 0);
  return {
    ...interval,
    signals: Object.fromEntries(compared.map((signal) => [signal, signals[signal]])),
  };
}

/** Evidence as of the pass in which it begins. */
export const begun = (evidence: Evidence, state: EvidenceState): Evidence => ({
  ...evidence,
  state,
  verdicts: judge(state, evidence.config),
});

/** Why the stable version's past is not known in this pass although it was asked for. */
export function unreadPast(reading: Snapshot["evidence"], revision: string): string | undefined {
  if (reading?.canary !== revision) return undefined;
  if (reading.kind === "Waiting") return "The metric source has not told the stable version's past yet.";
  return reading.reading.kind === "failing" ? reading.reading.message : undefined;
}

/**
 * Evidence at its start, from the stable version's past; one that served nothing has none, and the start is cautious. Undefined while the past is not read: a
 * source that is slow, or fails for a moment, must not cost what it would tell. Nothing is lost by waiting, as intervals are counted from `sinceMs` on
 * whenever it begins.
 */
export function beginEvidence(
  snapshot: Snapshot,
  config: EvidenceConfig,
  canary: string,
  sinceMs: number,
): EvidenceState | undefined {
  const reading = snapshot.evidence;
  if (reading?.kind !== "Baseline" || reading.canary !== canary || reading.reading.kind === "failing")
    return undefined;
  return startEvidence(config, reading.reading.value, sinceMs);
}

/** How long a past that the source does not tell is waited for: it may only be busy. */
const PAST_PATIENCE_MS = 120_000;

/**
 * The same of a canary, which is judged even where the past alone cannot be read: from a source that answers short queries and none about half an hour, it would
 * never be. Then the start is cautious, as it is beside a version that served nothing.
 */
export function beginCanaryEvidence(
  snapshot: Snapshot,
  config: EvidenceConfig,
  canary: string,
  sinceMs: number,
): EvidenceState | undefined {
  const isWaitedFor = snapshot.nowMs < sinceMs + PAST_PATIENCE_MS;
  const isBeyond = pastFailure(snapshot, canary)?.isTooMuch === true && snapshot.fleet.kind === "ok";
  if (isBeyond && !isWaitedFor) return startEvidence(config, {}, sinceMs);
  return beginEvidence(snapshot, config, canary, sinceMs);
}

/** What came of the question about the stable version's past, where that was no answer. */
export function pastFailure({ evidence }: Snapshot, canary: string | undefined): Failing | undefined {
  if (evidence?.kind !== "Baseline" || evidence.canary !== canary) return undefined;
  return evidence.reading.kind === "failing" ? evidence.reading : undefined;
}
