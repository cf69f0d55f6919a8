import type { Analysis } from "../../api/v1alpha1/rollout.ts";
import type { LLMBridgeStatus } from "../../api/v1alpha1/status.ts";
import { parseCheckpoint } from "../../evidence/checkpoint.ts";
import { evidenceConfig } from "../../evidence/config.ts";
import { countedOverMs } from "../../evidence/counted-over.ts";
import { type EvidenceState, outdated } from "../../evidence/state.ts";
import type { WatchState } from "../../evidence/watch.ts";
import { parseWatch } from "../../evidence/watch-checkpoint.ts";
import type { Memory } from "../memory.ts";
import { canaryEvidence, type Judging } from "./evidence.ts";

/**
 * The newest evidence about a canary: remembered, or else the checkpoint in status. Undefined where it was gathered for another
 * objective, other margins, over other intervals, or beside another reference than the present ones; it is then gathered again from where it began.
 * Where no source says how often it scrapes, `scrapeMs` is undefined and what is known goes on as it was counted.
 */
export function knownEvidence(
  status: LLMBridgeStatus,
  memory: Memory,
  canary: string,
  judging: Judging,
  scrapeMs: number | undefined,
): EvidenceState | undefined {
  const known = newest(canary, memory.evidence, status, parseCheckpoint);
  if (!known) return undefined;
  const config = canaryEvidence(judging, status.rollout, scrapeMs ?? countedOverMs(known.subject));
  return outdated(known, config) ? undefined : known;
}

/**
 * The newest watch of a version: remembered, or else the checkpoint in status. Undefined where the analysis was edited since, or other intervals are counted;
 * then it begins anew. `scrapeMs` as above.
 */
export function knownWatch(
  status: LLMBridgeStatus,
  memory: Memory,
  revision: string,
  analysis: Analysis,
  scrapeMs: number | undefined,
): WatchState | undefined {
  const known = newest(revision, memory.watch, status, parseWatch);
  if (!known) return undefined;
  const { subject } = evidenceConfig(analysis, "Stable", scrapeMs ?? countedOverMs(known.subject));
  return known.subject === subject ? known : undefined;
}

/** What is remembered of a version, or else the checkpoint in status. */
function newest<State>(
  revision: string,
  remembered: { readonly revision: string; readonly state: State } | undefined,
  { evidence }: LLMBridgeStatus,
  parse: (checkpoint: string) => State | undefined,
): State | undefined {
  if (remembered?.revision === revision) return remembered.state;
  return evidence?.revision === revision ? parse(evidence.state) : undefined;
}
