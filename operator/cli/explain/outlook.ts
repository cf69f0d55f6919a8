import { durationMs } from "../../api/v1alpha1/scalars.ts";
import type { VerdictStatus } from "../../api/v1alpha1/status.ts";
import { parseCheckpoint } from "../../evidence/checkpoint.ts";
import { evidenceConfig } from "../../evidence/config.ts";
import { countedOverMs } from "../../evidence/counted-over.ts";
import { SIGNALS, type Signal } from "../../evidence/counts.ts";
import { intervalsToProof, looksToPass } from "../../evidence/outlook.ts";
import { type EvidenceState, outdated } from "../../evidence/state.ts";
import { hasBaseline } from "../../rollout/baseline.ts";
import type { BridgeView } from "../bridge-view.ts";
import { spanText } from "../render/age.ts";

/**
 * How long until an undecided verdict could be decided, reckoned from the evidence in status by the operator's own code. Undefined for what is
 * decided, and where the evidence is of another kind or version.
 */
export function outlookOf({ status, spec }: BridgeView, verdict: VerdictStatus): string | undefined {
  const { signal, category } = verdict;
  const state = status.evidence === undefined ? undefined : parseCheckpoint(status.evidence.state);
  const { analysis } = spec.rollout;
  if (category !== "Undecided" || state === undefined) return undefined;
  const reference = hasBaseline(status.rollout, spec.rollout) ? "SameAge" : "Stable";
  const config = evidenceConfig(analysis, reference, countedOverMs(state.subject));
  if (outdated(state, config)) return undefined;
  if (!isSignal(signal)) {
    const looks = looksToPass(state, config, signal);
    return looks === undefined || looks === 0
      ? undefined
      : `passes after ${looks} more ${looks === 1 ? "look" : "looks"} within its limits`;
  }
  const intervals = intervalsToProof(state, config, signal);
  if (intervals === undefined || intervals === 0) return undefined;
  return Number.isFinite(intervals)
    ? `good enough in about ${spanText(intervals * Math.max(durationMs(analysis.interval), meanMs(state, signal)))} if it goes on like this`
    : "never good enough if it goes on like this";
}

/** From one counted interval to the next: those without requests tell nothing, and the operator's may be longer than the spec's. */
function meanMs({ intervalEndMs, gatesFromMs, signals }: EvidenceState, signal: Signal): number {
  return (intervalEndMs - gatesFromMs) / Math.max(1, signals[signal]?.intervals ?? 1);
}

const isSignal = (name: string): name is Signal => (SIGNALS as readonly string[]).includes(name);
