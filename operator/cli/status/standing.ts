import type { BridgeView } from "../bridge-view.ts";
import { EXIT, type ExitCode } from "../failure.ts";
import { ended } from "../render/sentence.ts";
import { imageVersion } from "../render/version.ts";
import { withName } from "./with-name.ts";

/** What counts as the end of a change: that it serves for good, or that it is promoted and may still be left while it is watched. */
export const UNTIL = ["stable", "promoted"] as const;
export type Until = (typeof UNTIL)[number];

export const OUTCOMES = ["Stable", "Promoted", "RolledBack", "Stalled", "Refused", "InProgress"] as const;
export type Outcome = (typeof OUTCOMES)[number];

export const EXIT_OF: Readonly<Record<Outcome, ExitCode>> = {
  Stable: EXIT.ok,
  Promoted: EXIT.ok,
  RolledBack: EXIT.notPromoted,
  Stalled: EXIT.notPromoted,
  Refused: EXIT.notPromoted,
  InProgress: EXIT.inProgress,
};

/** How far the change is that the spec's present generation asks for. */
export interface Standing {
  readonly outcome: Outcome;
  /** A sentence or more, with what a person could do. */
  readonly message: string;
}

/**
 * Reads it off the object alone. What the operator has not looked at yet is in progress, whatever status says of the generation before.
 * @param where options by which the person named the place, for commands to be typed
 */
export function standingOf(bridge: BridgeView, until: Until, where = ""): Standing {
  const { status, metadata } = bridge;
  const { name } = metadata;
  const said = (outcome: Outcome, message: string): Standing => ({
    outcome,
    message: withName(message, name, where),
  });
  const refused = conditionOf(bridge, "Accepted", "False");
  if (refused) return said("Refused", `The spec is refused: ${ended(refused.message)}`);
  const rolledBack = failureOf(bridge);
  const stalled = conditionOf(bridge, "Stalled", "True");
  if (stalled && rolledBack === undefined)
    return said("Stalled", `Stalled (${stalled.reason}): ${ended(stalled.message)}`);
  if (!isSeen(bridge)) return said("InProgress", notSeen(bridge));
  if (rolledBack !== undefined && status.phase === "Aborted") return said("RolledBack", rolledBack);
  const summary = ended(status.summary || `Its phase is ${status.phase ?? "unknown"}`);
  if (!serves(bridge)) return said("InProgress", summary);
  const unready = conditionOf(bridge, "Ready", "False");
  if (unready) return said("InProgress", ended(unready.message));
  const revision = versionText(status.rollout?.stableRevision, status.stable?.image);
  if (status.phase === "Stable" || status.phase === "Draining")
    return said("Stable", `Revision ${revision} is stable.`);
  return status.phase === "Watching" && until === "promoted"
    ? said("Promoted", `Revision ${revision} is promoted. ${summary}`)
    : said("InProgress", summary);
}

/** Whether the operator has looked at the spec as it is now. */
export const isSeen = ({ metadata, status }: BridgeView): boolean =>
  status.observedGeneration !== undefined && status.observedGeneration >= (metadata.generation ?? 0);

/** The revision that the spec asks for, as far as status tells of the present generation. An operator of before does not note it. */
export function askedRevision(bridge: BridgeView): string | undefined {
  const { status } = bridge;
  return isSeen(bridge) ? status.revision : undefined;
}

export const versionText = (revision = "unknown", image: string | undefined): string =>
  image ? `${revision} (${imageVersion(image)})` : revision;

/** Whether what the spec asks for has all of the traffic. Where no revision is noted, rest without a word of something that waits means the same. */
function serves({ status }: BridgeView): boolean {
  const { revision, rollout, conditions = [] } = status;
  if (revision !== undefined) return revision === rollout?.stableRevision;
  if (status.phase !== "Stable") return status.phase === "Watching" && rollout?.queued === undefined;
  return conditions.some(({ type, reason }) => type === "Progressing" && reason === "Complete");
}

/** That what the spec asks for was rolled back, and what a person could do; undefined where it was not. */
function failureOf(bridge: BridgeView): string | undefined {
  const { status } = bridge;
  const { failed, stableRevision } = status.rollout ?? {};
  if (failed === undefined || (status.revision ?? failed.revision) !== failed.revision) return undefined;
  const serving = versionText(stableRevision, status.stable?.image);
  return `Revision ${failed.revision} was rolled back (${failed.reason}): ${ended(failed.message)} Revision ${serving} serves. Change the spec, or try it again with \`kubectl llmbridge retry\`.`;
}

const notSeen = ({ metadata, status }: BridgeView): string =>
  status.observedGeneration === undefined
    ? "No operator has looked at it yet; `kubectl get pods -A -l app.kubernetes.io/name=llmbridge-operator` shows whether one runs."
    : `The operator has not looked at generation ${metadata.generation} yet.`;

type Condition = NonNullable<BridgeView["status"]["conditions"]>[number];

/** A condition of the present generation, which may be newer than that of the rest: an operator that cannot decide writes nothing else. */
const conditionOf = ({ metadata, status }: BridgeView, type: string, is: string): Condition | undefined =>
  status.conditions?.find(
    (one) =>
      one.type === type &&
      one.status === is &&
      (one.observedGeneration ?? status.observedGeneration ?? 0) >= (metadata.generation ?? 0),
  );
