import { endDecision, endingOf } from "../../bridges/ending.ts";
import type { BridgeView } from "../bridge-view.ts";
import type { DeploymentView } from "../family.ts";
import type { HistoryOutput } from "../outputs.ts";

type Revision = HistoryOutput["revisions"][number];

/** The revisions of a bridge, newest first, with what has become of each as far as its Deployment and status tell. */
export function historyOf(bridge: BridgeView, deployments: readonly DeploymentView[]): HistoryOutput {
  return {
    bridge: { namespace: bridge.metadata.namespace ?? "", name: bridge.metadata.name },
    revisions: deployments.map((one) => ({
      revision: one.revision,
      image: one.image,
      made: one.created ?? "",
      renderer: one.renderer,
      ...outcomeOf(one, bridge),
      replicas: one.replicas,
      ready: one.ready,
    })),
  };
}

/** What serves is told by status. Of what ended its Deployment tells what it was; where an older operator retired it, the decisions that are left. */
export function outcomeOf(
  { revision, ending }: DeploymentView,
  { status }: BridgeView,
): Pick<Revision, "outcome" | "why"> {
  const { rollout, stable, canary, decisions = [] } = status;
  if (revision === (rollout?.stableRevision ?? stable?.revision))
    return { outcome: "Stable", why: endDecision(revision, decisions)?.message ?? "" };
  if (revision === (rollout?.canaryRevision ?? canary?.revision))
    return { outcome: "Canary", why: status.summary ?? "" };
  if (revision === rollout?.previousRevision) return { outcome: "Previous", why: status.summary ?? "" };
  const { outcome, because } = ending ?? endingOf(revision, rollout, decisions) ?? RETIRED;
  return { outcome, why: because };
}

const RETIRED = { outcome: "Retired", because: "" } as const;
