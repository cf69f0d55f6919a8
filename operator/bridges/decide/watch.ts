import type { Analysis, Rollout } from "../../api/v1alpha1/rollout.ts";
import { durationMs } from "../../api/v1alpha1/scalars.ts";
import type { VerdictStatus } from "../../api/v1alpha1/status.ts";
import { actingSignals, type EvidenceConfig, evidenceConfig } from "../../evidence/config.ts";
import { countedOverMs } from "../../evidence/counted-over.ts";
import type { Signal } from "../../evidence/counts.ts";
import { toleratedText } from "../../evidence/judge.ts";
import { judgeWatch, startWatch, type WatchState, watchInterval } from "../../evidence/watch.ts";
import type { Verdicts } from "../../rollout/types.ts";
import { watchedRevision } from "../../rollout/watch.ts";
import { countingMs } from "../observe/evidence.ts";
import { knownWatch } from "../observe/known.ts";
import type { Snapshot } from "../snapshot.ts";
import { whyBehind } from "./behind.ts";
import { beginEvidence, type Evidence, unreadPast } from "./evidence.ts";

/** What is known of the version that is watched after its promotion, after this pass's reading. */
export interface Watch {
  readonly revision: string;
  readonly config: EvidenceConfig;
  /** Intervals of the watch in all, by which the probability of a false alarm is kept. */
  readonly intervals: number;
  readonly state: WatchState | undefined;
  /** Why nothing new was counted, if so. */
  readonly missing: string | undefined;
}

/** Folds the intervals that were read into what is known, as many as the watch has; undefined while none is watched. */
export function gatherWatch(snapshot: Snapshot, { analysis, watchAfter }: Rollout): Watch | undefined {
  const revision = watchedRevision(snapshot.status.rollout);
  if (revision === undefined) return undefined;
  const { scrapeMs } = snapshot;
  const known = knownWatch(snapshot.status, snapshot.memory, revision, analysis, scrapeMs);
  const countedMs = scrapeMs ?? (known && countedOverMs(known.subject));
  const config = evidenceConfig(analysis, "Stable", countedMs);
  const intervalMs = countingMs(analysis, countedMs);
  const intervals = Math.max(1, Math.ceil(durationMs(watchAfter) / intervalMs));
  const watch = { revision, config, intervals };
  const { evidence } = snapshot;
  if (!known) return { ...watch, state: undefined, missing: unreadPast(evidence, revision) };
  const reading =
    evidence?.kind === "Intervals" && evidence.canary === revision ? evidence.reading : undefined;
  if (!reading) return { ...watch, state: known, missing: undefined };
  if (reading.kind === "failing") return { ...watch, state: known, missing: reading.message };
  const state = reading.value.intervals.reduce(
    (before, one) => (before.intervals < intervals ? watchInterval(before, config, one) : before),
    known,
  );
  // It may have all of its intervals before its time is over.
  const isWhole = state.intervals >= intervals;
  const missing = isWhole ? undefined : whyBehind(reading.value, state.intervalEndMs, intervalMs);
  return { ...watch, state, missing };
}

/**
 * The watch to go on with. It begins with what is known of the version before, from the evidence of the rollout, or from its past where that is
 * lost; undefined while the past is being read.
 */
export function nextWatch(
  snapshot: Snapshot,
  analysis: Analysis,
  about: { readonly revision: string; readonly sinceMs: number },
  { watch, evidence }: { readonly watch: Watch | undefined; readonly evidence: Evidence },
): WatchState | undefined {
  if (watch?.revision === about.revision && watch.state) return watch.state;
  const config = evidenceConfig(analysis, "Stable", evidence.state ? evidence.intervalMs : snapshot.scrapeMs);
  // What a canary was compared with, be it a baseline, ended with its promotion: the reference from here on is the version before.
  if (evidence.canary === about.revision && evidence.state) {
    const { intervalMs } = evidence;
    const { intervalEndMs } = evidence.state;
    // Intervals that were not read before the promotion must not use up those of the watch, which are as many as it takes time.
    const unread = Math.max(0, Math.floor((about.sinceMs - intervalEndMs) / intervalMs));
    return startWatch({ ...evidence.state, subject: config.subject }, intervalEndMs + unread * intervalMs);
  }
  const begun = beginEvidence(snapshot, config, about.revision, about.sinceMs);
  return begun && startWatch(begun);
}

const SAYS: Record<Signal, string> = {
  errors: "Its share of failed requests",
  latency: "Its share of requests slower than the objective",
};

function alarms({ state, config, intervals }: Watch): readonly Signal[] {
  if (!state) return [];
  const verdict = judgeWatch(state, config, intervals);
  return verdict.category === "ProvedWorse" ? verdict.signals : [];
}

function alarmText(signal: Signal, { config }: Watch): string {
  const margins = config.signals[signal];
  const allowed = margins === undefined ? "what is allowed" : toleratedText(margins);
  return `${SAYS[signal]} is proved to be more than ${allowed} above that of the version before.`;
}

/** What the rollout engine is told. */
export function watchVerdicts(watch: Watch): Verdicts {
  return {
    kind: "Watched",
    alarms: alarms(watch).map((signal) => ({ signal, message: alarmText(signal, watch) })),
    message: watch.missing ?? "The promoted version is watched.",
  };
}

/** What stands in status. */
export function watchStatuses(watch: Watch): VerdictStatus[] {
  const raised = alarms(watch);
  return actingSignals(watch.config).map(([signal]) => {
    if (raised.includes(signal))
      return { signal, category: "ProvedWorse", message: alarmText(signal, watch) };
    const missing = watch.state ? watch.state.missing?.[signal] : watch.missing;
    if (missing !== undefined) return { signal, category: "NoData", message: missing };
    const message = `${SAYS[signal]} is watched since the promotion; no alarm.`;
    return { signal, category: "Watching", message };
  });
}
