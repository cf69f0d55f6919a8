import type { VersionStatus } from "../../api/v1alpha1/status.ts";
import type { DeploymentView, Family, PodView } from "../family.ts";
import { ageText } from "./age.ts";
import type { Branch } from "./tree.ts";
import { imageVersion } from "./version.ts";
import type { View } from "./view.ts";
import { padVisible, visibleLength } from "./wrap.ts";

/** A version with its Deployment, and its pods below that; `more` hangs beside the Deployment. */
export function versionBranch(
  track: string,
  version: VersionStatus,
  family: Family,
  view: View,
  more: readonly Branch[] = [],
): Branch {
  const { revision, image, ready, replicas, desiredWeight, requestShare, podShare } = version;
  const readyText = `${ready}/${replicas} ready`;
  const parts = [
    `${track}  ${view.colour.strong(revision)}`,
    `image ${imageVersion(image)}`,
    ready < replicas ? view.colour.warn(readyText) : readyText,
    `wanted ${desiredWeight}%`,
    ...(requestShare === undefined ? [] : [`served ${requestShare} of requests`]),
    ...(podShare === undefined ? [] : [view.colour.faint(`${podShare} of pods`)]),
  ];
  return { text: parts.join("   "), below: [...deploymentBranches(revision, family, view), ...more] };
}

/** Deployments of neither version whose pods have not all ended. */
export function olderBranches(family: Family, shown: readonly string[], view: View): readonly Branch[] {
  return family.deployments
    .filter(({ revision }) => !shown.includes(revision))
    .filter(({ revision, replicas }) => replicas > 0 || family.pods.some((pod) => pod.revision === revision))
    .map(({ revision, image }) => ({
      text: `older   ${revision}   image ${imageVersion(image)}`,
      below: deploymentBranches(revision, family, view),
    }));
}

function deploymentBranches(revision: string, family: Family, view: View): readonly Branch[] {
  return family.deployments
    .filter((one) => one.revision === revision)
    .map((one) => ({
      text: deploymentLine(one, view),
      below: podBranches(
        family.pods.filter((pod) => pod.revision === revision),
        view,
      ),
    }));
}

function deploymentLine(deployment: DeploymentView, { nowMs, colour }: View): string {
  const { name, ready, replicas, created, refusal } = deployment;
  const parts = [
    `Deployment ${name}`,
    `${ready}/${replicas} ready`,
    ageText(created, nowMs),
    ...(refusal === undefined ? [] : [colour.bad(`pods are refused: ${refusal}`)]),
  ];
  return parts.filter((part) => part !== "").join("   ");
}

/** Pods in columns. Where only so many lines are wanted, those that are ready are counted instead. */
function podBranches(pods: readonly PodView[], view: View): readonly Branch[] {
  const most = view.mostPods ?? Number.POSITIVE_INFINITY;
  const shown = pods.length <= most ? pods : [...pods].sort(notReadyFirst).slice(0, most);
  const rows = shown.map((pod) => podCells(pod, view));
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => visibleLength(row[column] ?? ""))),
  );
  const branches = rows.map((row, index) => ({
    text: [
      ...row.map((cell, column) => padVisible(cell, widths[column] ?? 0)),
      view.colour.bad(shown[index] ? troubleOf(shown[index]) : ""),
    ]
      .join("   ")
      .trimEnd(),
  }));
  const left = pods.length - shown.length;
  return left === 0 ? branches : [...branches, { text: view.colour.faint(`and ${left} more`) }];
}

function troubleOf({ lastEnd, message }: PodView): string {
  return [...(lastEnd === "" ? [] : [`last ended by ${lastEnd}`]), ...(message === "" ? [] : [message])].join(
    "; ",
  );
}

const notReadyFirst = (a: PodView, b: PodView) => Number(a.ready) - Number(b.ready);

function podCells(pod: PodView, { nowMs, colour }: View): readonly string[] {
  const paint = pod.ready ? colour.good : pod.state === "Ending" ? colour.faint : colour.warn;
  const restarts = pod.restarts === 1 ? "1 restart" : `${pod.restarts} restarts`;
  return [
    `Pod ${pod.name}`,
    paint(pod.state),
    pod.restarts === 0 ? colour.faint(restarts) : colour.warn(restarts),
    ageText(pod.created, nowMs),
    pod.node,
  ];
}
