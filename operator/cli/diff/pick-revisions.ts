import { didYouMean } from "../../api/v1alpha1/did-you-mean.ts";
import type { BridgeView } from "../bridge-view.ts";
import { CliFailure } from "../failure.ts";
import type { DeploymentView } from "../family.ts";

/** The two revisions to compare: before and after. */
export interface Pair {
  readonly before: DeploymentView;
  readonly after: DeploymentView;
}

/**
 * The revisions that a person named, by hash, its beginning, or the words stable and canary. One: from the stable version to it. None:
 * from the stable version to the canary, and without a canary from the version that was stable before to the stable one.
 * @param deployments newest first
 * @throws CliFailure where there is no such revision, or nothing to compare with
 */
export function pickRevisions(
  bridge: BridgeView,
  deployments: readonly DeploymentView[],
  words: readonly string[],
): Pair {
  const { name } = bridge.metadata;
  const { rollout, stable, canary } = bridge.status;
  const marks = {
    stable: rollout?.stableRevision ?? stable?.revision,
    canary: rollout?.canaryRevision ?? canary?.revision,
  };
  const find = (word: string) => found(word, name, deployments, marks);
  const [first, second] = words;
  if (first !== undefined && second !== undefined) return { before: find(first), after: find(second) };
  const isStable = (one: DeploymentView) => one.revision === marks.stable;
  if (first !== undefined && !isStable(find(first))) return { before: find("stable"), after: find(first) };
  if (first === undefined && marks.canary !== undefined && marks.stable !== undefined)
    return { before: find("stable"), after: find("canary") };
  const after = marks.stable === undefined ? deployments[0] : find("stable");
  if (after === undefined) throw new CliFailure(`${name} has no revision yet.`);
  const before = versionBefore(after, deployments, isStable(after) ? rollout?.served : undefined);
  if (before === undefined)
    throw new CliFailure(`${name} has no canary and no revision before ${after.revision}.`);
  return { before, after };
}

/**
 * The version that was stable before, as `undo` has it: a Deployment that serves again is not the newest, and one that was rolled back in between is not
 * the version before. Where none was, the revision that was made before.
 */
function versionBefore(
  after: DeploymentView,
  deployments: readonly DeploymentView[],
  served: readonly string[] | undefined,
): DeploymentView | undefined {
  if (served === undefined) return deployments[deployments.indexOf(after) + 1];
  return served
    .map((revision) => deployments.find((one) => one.revision === revision))
    .find((one) => one !== undefined);
}

/** The revision that a word names: its hash, the beginning of it, or stable or canary. */
export function found(
  word: string,
  name: string,
  deployments: readonly DeploymentView[],
  marks: Readonly<Record<"stable" | "canary", string | undefined>>,
): DeploymentView {
  const known = deployments.map(({ revision }) => revision);
  if ((word === "stable" || word === "canary") && marks[word] === undefined)
    throw new CliFailure(`${name} has no ${word} version.`);
  const wanted = word === "stable" || word === "canary" ? (marks[word] ?? "") : word;
  const near = deployments.filter(({ revision }) => revision.startsWith(wanted));
  const [only] = near;
  if (only !== undefined && near.length === 1) return only;
  if (near.length > 1)
    throw new CliFailure(
      `${word} may be ${near.map(({ revision }) => revision).join(" or ")}; write more of it.`,
    );
  const meant = didYouMean(word, known);
  const hint = meant ? `did you mean ${meant}?` : `there are ${known.join(", ") || "none"}.`;
  throw new CliFailure(`${name} has no revision ${wanted}; ${hint}`);
}
