import { LABELS } from "../../contract/kubernetes.ts";
import { observeDeployment } from "../bridges/difference.ts";
import type { Ending } from "../bridges/ending.ts";
import { ANNOTATIONS } from "../bridges/names.ts";
import { type ObservedPod, observePod, type RawPod } from "../bridges/observe/pod.ts";
import { isForbidden } from "../kube/errors.ts";
import { controllerOf, type KubeObject } from "../kube/object.ts";
import { resources } from "../kube/resources.ts";
import type { BridgeView } from "./bridge-view.ts";
import { type Connection, sentenceOf } from "./connection.ts";

/** A revision's Deployment as this tool shows it. */
export interface DeploymentView {
  readonly name: string;
  readonly revision: string;
  readonly image: string;
  /** Version of the operator that rendered it. */
  readonly renderer: string;
  readonly track: string | undefined;
  readonly created: string | undefined;
  readonly replicas: number;
  readonly ready: number;
  /** What was noted of its end when it was retired, and when that was. */
  readonly ending: Ending | undefined;
  readonly retiredAt: string | undefined;
  /** Why the API server refuses its pods. */
  readonly refusal: string | undefined;
}

export interface PodView {
  readonly name: string;
  readonly revision: string;
  readonly created: string | undefined;
  readonly node: string;
  readonly ready: boolean;
  /** One word: Ready, Starting, Ending, Unschedulable, or why the container waits. */
  readonly state: string;
  /** What kubelet or the scheduler says of it, where it is not Ready. */
  readonly message: string;
  readonly restarts: number;
  /** How the container last ended: "OOMKilled (137)". */
  readonly lastEnd: string;
}

/** A bridge with what hangs below it; `trouble` says what could not be read, and is empty when all was. */
export interface Family {
  readonly bridge: BridgeView;
  readonly deployments: readonly DeploymentView[];
  readonly pods: readonly PodView[];
  readonly trouble: readonly string[];
}

export const selectorOf = (name: string) => `${LABELS.bridge}=${name}`;

/** Reads what hangs below a bridge. Whoever may read bridges only gets the tree without it, and is told why. */
export async function readFamily(connection: Connection, bridge: BridgeView): Promise<Family> {
  const { client, namespace } = connection;
  const options = { namespace, labelSelector: selectorOf(bridge.metadata.name) };
  const [deployments, pods] = await Promise.all(
    [resources.deployments, resources.pods].map(async (resource) => {
      try {
        return { items: await client.list(resource, options), trouble: [] };
      } catch (error) {
        if (!isForbidden(error)) throw error;
        return { items: [], trouble: [sentenceOf(error)] };
      }
    }),
  );
  return familyOf(bridge, deployments?.items ?? [], pods?.items ?? [], [
    ...(deployments?.trouble ?? []),
    ...(pods?.trouble ?? []),
  ]);
}

/** Newest Deployments first; those that belong to another object, such as a deleted bridge of the same name, are left out. */
export function familyOf(
  bridge: BridgeView,
  deployments: readonly KubeObject[],
  pods: readonly KubeObject[],
  trouble: readonly string[],
): Family {
  const own = deployments.filter(
    (one) => (controllerOf(one)?.uid ?? bridge.metadata.uid) === bridge.metadata.uid,
  );
  return {
    bridge,
    deployments: own
      .flatMap((one) => deploymentView(one) ?? [])
      .sort((a, b) => (b.created ?? "").localeCompare(a.created ?? "") || a.name.localeCompare(b.name)),
    pods: pods.map(podView).sort((a, b) => a.name.localeCompare(b.name)),
    trouble,
  };
}

function deploymentView(object: KubeObject): DeploymentView | undefined {
  const seen = observeDeployment(object as unknown as Parameters<typeof observeDeployment>[0]);
  if (seen === undefined) return undefined;
  const { status } = object as { status?: { readyReplicas?: number } };
  return {
    name: seen.name,
    revision: seen.revision,
    image: seen.image,
    renderer: object.metadata.annotations?.[ANNOTATIONS.renderer] ?? "",
    track: seen.track,
    created: object.metadata.creationTimestamp,
    replicas: seen.replicas,
    ready: status?.readyReplicas ?? 0,
    ending: seen.ending,
    retiredAt: seen.retiredAt,
    refusal: seen.refusal,
  };
}

function podView(object: KubeObject): PodView {
  const seen = observePod(object as unknown as RawPod);
  const { spec } = object as { spec?: { nodeName?: string } };
  const end = seen.restarts > 0 || seen.finished ? seen.lastTermination : undefined;
  return {
    name: seen.name,
    revision: seen.revision,
    created: object.metadata.creationTimestamp,
    node: spec?.nodeName ?? "",
    ready: seen.ready && !seen.terminating,
    state: stateOf(seen),
    message: seen.ready ? "" : seen.waiting?.message || seen.unschedulable || "",
    restarts: seen.restarts,
    lastEnd: end ? `${end.reason || "ended"} (${end.exitCode})` : "",
  };
}

function stateOf(pod: ObservedPod): string {
  if (pod.terminating) return "Ending";
  if (pod.finished) return "Ended";
  if (pod.ready) return "Ready";
  if (pod.unschedulable !== undefined) return "Unschedulable";
  return pod.waiting?.reason || "Starting";
}
