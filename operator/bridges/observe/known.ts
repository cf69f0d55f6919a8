import type { Analysis } from "../../api/v1alpha1/rollout.ts";
import type { LLMBridgeStatus } from "../../api/v1alpha1/status.ts";
import { parseCheckpoint } from "../../evidence/checkpoint.ts";
import { evidenceConfig } from "../../evidence/config.ts";
import { type EvidenceState, outdated } from "../../evidence/state.ts";
import type { WatchState } from "../../evidence/watch.ts";
import { parseWatch } from "../../evidence/watch-checkpoint.ts";
import type { Memory } from "../memory.ts";
import { canaryEvidence, type Judging } from "./evidence.ts";

/**
 * The newest evidence about a canary: remembered, or else the checkpoint in status. Undefined where it was gathered for another
 * objective, other margins, or beside another reference than the present ones; it is then gathered again from where it began.
 */
export function knownEvidence(
  status: LLMBridgeStatus,
  memory: Memory,
  canary: string,
  judging: Judging,
): EvidenceState | undefined {
  const known = newest(canary, memory.evidence, status, parseCheckpoint);
  return known && !outdated(known, canaryEvidence(judging, status.rollout)) ? known : undefined;
}

/**
 * The newest watch of a version: remembered, or else the checkpoint in status. Undefined where the analysis was edited since; then it begins anew.
 */
export function knownWatch(
  status: LLMBridgeStatus,
  memory: Memory,
  revision: string,
  analysis: Analysis,
): WatchState | undefined {
  const known = newest(revision, memory.watch, status, parseWatch);
  return known && known.subject === evidenceConfig(analysis).subject ? known : undefined;
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
