import * as z from "zod";
import type { KubeClient } from "../../kube/client.ts";
import { isForbidden, isNotFound } from "../../kube/errors.ts";
import { controllerOf, type KubeObject } from "../../kube/object.ts";
import { type Resource, resources } from "../../kube/resources.ts";
import { ANNOTATIONS, type BridgeRef } from "../names.ts";
import { observePod, type RawPod } from "../observe/pod.ts";
import {
  type ContainerPort,
  type OldDeployment,
  type OldPod,
  type OldService,
  readNote,
  type ServicePort,
  TAKE_OVER_FINALIZER,
  TAKEN_OVER,
  type TakenNames,
  type TakenObjects,
  takenLabels,
} from "./observed.ts";

/**
 * Reads what is taken over, by quorum and not from a cache: the caches hold what carries our labels, and a watch over all Deployments and pods of a
 * cluster for what is done once in a bridge's life would cost every cluster its memory.
 * @throws what the API server answers, but for what is not there and what may not be read
 */
export async function readTakeOver(
  client: KubeClient,
  bridge: BridgeRef,
  names: TakenNames,
  finalizers: readonly string[],
  signal?: AbortSignal,
): Promise<TakenObjects | { readonly kind: "Forbidden"; readonly message: string }> {
  const { namespace } = bridge;
  const read = <T extends KubeObject>(resource: Resource, name: string) =>
    client.get<T>(resource, namespace, name, { signal }).catch((error: unknown) => {
      if (isNotFound(error)) return undefined;
      throw error;
    });
  try {
    const [deployment, services, autoscalers] = await Promise.all([
      read<RawDeployment>(resources.deployments, names.deployment),
      Promise.all(names.services.map((name) => read<RawService>(resources.services, name))),
      client.list<RawAutoscaler>(resources.horizontalPodAutoscalers, { namespace, signal }),
    ]);
    const pods = deployment ? await podsOf(client, bridge, deployment, signal) : [];
    return {
      kind: "Read",
      deployment: deployment && deploymentOf(deployment),
      services: services.flatMap((service) => (service ? [serviceOf(service)] : [])),
      pods,
      autoscalers: autoscalers.filter(scales(names.deployment)).map(({ metadata }) => metadata.name),
      hasFinalizer: finalizers.includes(TAKE_OVER_FINALIZER),
    };
  } catch (error) {
    if (!isForbidden(error)) throw error;
    return { kind: "Forbidden", message: error.status.message ?? error.message };
  }
}

export interface RawDeployment extends KubeObject {
  readonly spec: {
    readonly replicas?: number;
    readonly selector: { readonly matchLabels?: Labels; readonly matchExpressions?: readonly Expression[] };
    readonly template: {
      readonly metadata?: { readonly labels?: Labels };
      readonly spec: { readonly containers: readonly { image?: string; ports?: readonly ContainerPort[] }[] };
    };
  };
  readonly status?: {
    readonly observedGeneration?: number;
    readonly replicas?: number;
    readonly updatedReplicas?: number;
  };
}

type Labels = Readonly<Record<string, string>>;

interface Expression {
  readonly key: string;
  readonly operator: string;
  readonly values?: readonly string[];
}

interface RawService extends KubeObject {
  readonly spec: {
    readonly type?: string;
    readonly selector?: Labels;
    readonly ports?: readonly ServicePort[];
  };
}

export interface RawAutoscaler extends KubeObject {
  readonly spec?: { readonly scaleTargetRef?: { readonly kind?: string; readonly name?: string } };
}

export const scales =
  (deployment: string) =>
  ({ spec }: RawAutoscaler): boolean =>
    spec?.scaleTargetRef?.kind === "Deployment" && spec.scaleTargetRef.name === deployment;

const ownerText = (object: KubeObject): string | undefined => {
  const owner = controllerOf(object);
  return owner && `${owner.kind} "${owner.name}"`;
};

export function deploymentOf(object: RawDeployment): OldDeployment {
  const { metadata, spec, status = {} } = object;
  const { containers } = spec.template.spec;
  const replicas = spec.replicas ?? 1;
  const isSeen = (status.observedGeneration ?? 0) >= (metadata.generation ?? 0);
  return {
    name: metadata.name,
    uid: metadata.uid,
    resourceVersion: metadata.resourceVersion,
    image: containers[0]?.image ?? "",
    replicas,
    isSettled: isSeen && (status.updatedReplicas ?? 0) >= (status.replicas ?? 0),
    createdMs: Date.parse(metadata.creationTimestamp ?? "") || 0,
    owner: ownerText(object),
    isEnding: metadata.deletionTimestamp !== undefined,
    templateLabels: spec.template.metadata?.labels ?? {},
    ports: containers.flatMap(({ ports = [] }) => ports),
    deployedBy: deployedBy(object),
    note: readNote(metadata.annotations),
  };
}

/** Marks that those leave who write the object again from elsewhere. */
export function deployedBy({ metadata: { labels, annotations } }: KubeObject): string | undefined {
  const release = annotations?.["meta.helm.sh/release-name"];
  if (release !== undefined) return `Helm release ${release}`;
  if (labels?.["app.kubernetes.io/managed-by"] === "Helm") return "a Helm release";
  const tracked = annotations?.["argocd.argoproj.io/tracking-id"]?.split(":")[0];
  if (tracked !== undefined) return `Argo CD application ${tracked}`;
  const flux = labels?.["kustomize.toolkit.fluxcd.io/name"] ?? labels?.["helm.toolkit.fluxcd.io/name"];
  return flux === undefined ? undefined : `Flux (${flux})`;
}

function serviceOf(object: RawService): OldService {
  const { metadata, spec } = object;
  return {
    name: metadata.name,
    uid: metadata.uid,
    resourceVersion: metadata.resourceVersion,
    type: spec.type ?? "ClusterIP",
    owner: ownerText(object),
    selector: spec.selector ?? {},
    ports: spec.ports ?? [],
    note: readNote(metadata.annotations),
    before: beforeOf(metadata.annotations?.[ANNOTATIONS.serviceBefore]),
  };
}

/** What a hand has made unreadable is as if it were not there. */
function beforeOf(text: string | undefined): OldService["before"] {
  if (text === undefined) return undefined;
  try {
    return before.safeParse(JSON.parse(text)).data as OldService["before"];
  } catch {
    return undefined;
  }
}

const before = z.object({
  selector: z.record(z.string(), z.string()),
  ports: z.array(z.looseObject({ port: z.int() })),
});

type LabelledPod = KubeObject & RawPod;

/** The Deployment's own pods: others may carry its labels too, but only its ReplicaSets have names that begin with its own. */
async function podsOf(
  client: KubeClient,
  bridge: BridgeRef,
  deployment: RawDeployment,
  signal: AbortSignal | undefined,
): Promise<OldPod[]> {
  const labelSelector = selectorText(deployment);
  const pods = await client.list<LabelledPod>(resources.pods, {
    namespace: bridge.namespace,
    labelSelector,
    signal,
  });
  return pods.filter((pod) => isPodOf(pod, deployment.metadata.name)).map((pod) => oldPod(pod, bridge));
}

function isPodOf(pod: KubeObject, deployment: string): boolean {
  const owner = controllerOf(pod);
  const hash = pod.metadata.labels?.["pod-template-hash"];
  return owner?.kind === "ReplicaSet" && hash !== undefined && owner.name === `${deployment}-${hash}`;
}

function selectorText({ spec: { selector } }: RawDeployment): string {
  return [
    ...Object.entries(selector.matchLabels ?? {}).map(([key, value]) => `${key}=${value}`),
    ...(selector.matchExpressions ?? []).map(expressionText),
  ].join(",");
}

function expressionText({ key, operator, values = [] }: Expression): string {
  switch (operator) {
    case "In":
      return `${key} in (${values.join(",")})`;
    case "NotIn":
      return `${key} notin (${values.join(",")})`;
    case "Exists":
      return key;
    default:
      return `!${key}`;
  }
}

function oldPod(pod: LabelledPod, bridge: BridgeRef): OldPod {
  const labels = pod.metadata.labels ?? {};
  const isLabelled = Object.entries(takenLabels(bridge)).every(([key, value]) => labels[key] === value);
  const observed = observePod(pod);
  // Services of the bridge do not lead to one without the labels, so it carries nothing of the traffic that they share out.
  const isServing = observed.ready && !observed.terminating;
  return { ...observed, revision: TAKEN_OVER, ready: observed.ready && isLabelled, isLabelled, isServing };
}
