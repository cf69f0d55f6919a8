import type { DecisionStatus, RolloutStatus } from "../api/v1alpha1/status.ts";
import { ANNOTATIONS } from "./names.ts";

/**
 * What became of a revision that serves no more. Noted on its Deployment when it is retired, since status keeps the last ten decisions only.
 * WasStable: another one took its place. RolledBack: it failed, or a person aborted it. Withdrawn: the spec moved on before it was proved.
 */
export const ENDINGS = ["WasStable", "RolledBack", "Withdrawn"] as const;
export interface Ending {
  readonly outcome: (typeof ENDINGS)[number];
  /** A sentence; of a failure with its reason before it ("ErrorsProvedWorse: errors +5pp"). Empty where nobody knows. */
  readonly because: string;
}

/** Annotation values are no place for novels; a status message has at most 600 characters. */
const MOST_CHARACTERS = 700;

/**
 * What became of a revision, by the rollout's state and the decisions that are known.
 * @param decisions newest first
 * @returns undefined where they tell nothing of it
 */
export function endingOf(
  revision: string,
  state: Pick<RolloutStatus, "failed" | "served" | "stableRevision"> | undefined,
  decisions: readonly DecisionStatus[],
): Ending | undefined {
  const { failed, served = [], stableRevision } = state ?? {};
  if (failed?.revision === revision)
    return { outcome: "RolledBack", because: clip(`${failed.reason}: ${failed.message}`) };
  const told = endDecision(revision, decisions);
  const outcome = told === undefined ? undefined : OUTCOMES[told.action];
  if (told !== undefined && outcome !== undefined && outcome !== "WasStable")
    return { outcome, because: clip(told.message) };
  if (outcome === undefined && !served.includes(revision)) return undefined;
  const successor = stableRevision === revision ? undefined : stableRevision;
  return {
    outcome: "WasStable",
    because: successor === undefined ? "" : `Revision ${successor} took its place.`,
  };
}

const OUTCOMES: Readonly<Record<string, Ending["outcome"]>> = {
  Promote: "WasStable",
  Finish: "WasStable",
  Adopt: "WasStable",
  Rollback: "RolledBack",
  Withdraw: "Withdrawn",
  Replace: "Withdrawn",
};

/** The newest decision that made a revision stable, or took it away. A decision is about the revision that it names first. */
export function endDecision(
  revision: string,
  decisions: readonly DecisionStatus[],
): DecisionStatus | undefined {
  return decisions.find(
    ({ action, reason, message }) =>
      action in OUTCOMES &&
      reason !== "RolledBack" &&
      /\b(?:revision|canary) ([0-9a-f]+)/i.exec(message)?.[1] === revision,
  );
}

const clip = (text: string): string =>
  text.length > MOST_CHARACTERS ? `${text.slice(0, MOST_CHARACTERS - 3)}...` : text;

/** Annotations of a Deployment that is retired; none of any other. They stand beside the pod template, so that no pod restarts. */
export function retirement({
  retiredAt,
  ending,
}: {
  readonly retiredAt: string | undefined;
  readonly ending: Ending | undefined;
}): Readonly<Record<string, string>> {
  if (retiredAt === undefined) return {};
  return {
    [ANNOTATIONS.retiredAt]: retiredAt,
    ...(ending ? { [ANNOTATIONS.outcome]: ending.outcome } : {}),
    ...(ending && ending.because !== "" ? { [ANNOTATIONS.outcomeReason]: ending.because } : {}),
  };
}

/** What was noted; undefined where nothing was, or by a newer version in a word that this one does not know. */
export function readEnding(annotations: Readonly<Record<string, string>> = {}): Ending | undefined {
  const outcome = ENDINGS.find((one) => one === annotations[ANNOTATIONS.outcome]);
  return outcome && { outcome, because: annotations[ANNOTATIONS.outcomeReason] ?? "" };
}
