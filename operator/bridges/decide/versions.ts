import type { VersionStatus } from "../../api/v1alpha1/status.ts";
import { baselineOf, isBaseline, templateOf } from "../../rollout/baseline.ts";
import { podShares, shareText } from "../../rollout/shares.ts";
import type { RevisionFacts, RolloutOutcome } from "../../rollout/types.ts";

export interface VersionsInput {
  readonly outcome: RolloutOutcome;
  readonly facts: Readonly<Record<string, RevisionFacts>>;
  /** Replicas wanted after the budgets had their say. */
  readonly replicas: Readonly<Record<string, number>>;
  /** Percent of the requests really served by each revision. */
  readonly requestShares: Readonly<Record<string, number>> | undefined;
  /** Image of the present spec, for a revision that has no Deployment yet. */
  readonly desired: { readonly revision: string; readonly image: string };
}

export interface Versions {
  readonly stable?: VersionStatus;
  readonly canary?: VersionStatus;
  readonly baseline?: VersionStatus;
  readonly previous?: VersionStatus;
}

/** The stable version, the canary and what it is compared with, and the version before while the stable one is watched, for status. */
export function versions(input: VersionsInput): Versions {
  const { state } = input.outcome;
  const stable = version(input, state?.stableRevision);
  const canary = version(input, state?.canaryRevision);
  const baseline = version(input, baselineIn(input));
  const previous = version(input, state?.previousRevision);
  return {
    ...(stable ? { stable } : {}),
    ...(canary ? { canary } : {}),
    ...(baseline ? { baseline } : {}),
    ...(previous ? { previous } : {}),
  };
}

/** The baseline of the canary, from when its pods are wanted until they are not. */
function baselineIn({ outcome: { state }, replicas }: VersionsInput): string | undefined {
  if (state?.stableRevision === undefined || state.canaryRevision === undefined) return undefined;
  const revision = baselineOf(state.stableRevision);
  return (replicas[revision] ?? 0) > 0 ? revision : undefined;
}

function version(input: VersionsInput, revision: string | undefined): VersionStatus | undefined {
  if (revision === undefined) return undefined;
  const { outcome, facts, desired } = input;
  const known = facts[revision];
  const template = isBaseline(revision) ? facts[templateOf(revision)]?.image : undefined;
  const podShare = outcome.services ? podShares(outcome.services.main, facts)[revision] : undefined;
  const requestShare = input.requestShares?.[revision];
  return {
    revision,
    image: known?.image || template || (revision === desired.revision ? desired.image : ""),
    replicas: input.replicas[revision] ?? known?.wantedReplicas ?? 0,
    ready: known?.ready ?? 0,
    desiredWeight: Math.round(outcome.desiredWeights[revision] ?? 0),
    ...(podShare === undefined ? {} : { podShare: shareText(podShare) }),
    ...(requestShare === undefined ? {} : { requestShare: shareText(requestShare) }),
  };
}
