import type { DecisionStatus } from "../../api/v1alpha1/status.ts";
import type { BridgeView } from "../bridge-view.ts";
import type { DeploymentView } from "../family.ts";
import type { HistoryOutput } from "../outputs.ts";

type Revision = HistoryOutput["revisions"][number];

/** The revisions of a bridge, newest first, with what has become of each as far as status tells. */
export function historyOf(bridge: BridgeView, deployments: readonly DeploymentView[]): HistoryOutput {
  return {
    bridge: { namespace: bridge.metadata.namespace ?? "", name: bridge.metadata.name },
    revisions: deployments.map((one) => ({
      revision: one.revision,
      image: one.image,
      made: one.created ?? "",
      renderer: one.renderer,
      ...outcomeOf(one.revision, bridge),
      replicas: one.replicas,
      ready: one.ready,
    })),
  };
}

function outcomeOf(revision: string, { status }: BridgeView): Pick<Revision, "outcome" | "why"> {
  const { rollout, stable, canary, decisions = [] } = status;
  const told = decisions.find((one) => ENDS.has(one.action) && isAbout(one, revision));
  const because = told?.message ?? "";
  if (revision === (rollout?.stableRevision ?? stable?.revision)) return { outcome: "Stable", why: because };
  if (revision === (rollout?.canaryRevision ?? canary?.revision))
    return { outcome: "Canary", why: status.summary ?? "" };
  if (revision === rollout?.previousRevision) return { outcome: "Previous", why: status.summary ?? "" };
  if (revision === rollout?.failed?.revision)
    return { outcome: "RolledBack", why: `${rollout.failed.reason}: ${rollout.failed.message}` };
  if (told === undefined) return { outcome: "Retired", why: "" };
  return { outcome: WAS_SERVING.has(told.action) ? "WasStable" : "RolledBack", why: because };
}

const WAS_SERVING: ReadonlySet<string> = new Set(["Promote", "Finish", "Adopt"]);
const ENDS: ReadonlySet<string> = new Set([...WAS_SERVING, "Rollback", "Withdraw"]);

/** The revision that a decision is about is the first that it names. */
function isAbout({ message, reason }: DecisionStatus, revision: string): boolean {
  if (reason === "RolledBack") return false;
  return /\b(?:revision|canary) ([0-9a-f]+)/i.exec(message)?.[1] === revision;
}
