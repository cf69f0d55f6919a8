import { LABELS } from "../../../contract/kubernetes.ts";
import { COMMAND_ANNOTATION, type Command } from "../../../operator/api/v1alpha1/commands.ts";
import type { LLMBridgeSpecInput } from "../../../operator/api/v1alpha1/spec.ts";
import { type LLMBridgeStatus, llmBridgeStatus } from "../../../operator/api/v1alpha1/status.ts";
import type { HttpRoute } from "../../../operator/bridges/route/http-route.ts";
import type { KubeObject } from "../../../operator/kube/object.ts";
import type { Change } from "./history.ts";

/** What there is between two changes, by `resource name`. */
export type World = ReadonlyMap<string, KubeObject>;

export const keyOf = ({ resource, object }: Change): string => `${resource} ${object.metadata.name}`;

export function after(world: World, change: Change): World {
  const next = new Map(world);
  if (change.isGone) next.delete(keyOf(change));
  else next.set(keyOf(change), change.object);
  return next;
}

function all<T extends KubeObject>(world: World, resource: string): T[] {
  return [...world].flatMap(([key, object]) => (key.startsWith(`${resource} `) ? [object as T] : []));
}

/** The bridge as people ask for it and as the operator tells of it. */
export interface BridgeView {
  readonly spec: LLMBridgeSpecInput;
  readonly status: LLMBridgeStatus;
  readonly command: Command | undefined;
}

/** The bridge of the story: there is only one. */
export function bridgeIn(world: World): BridgeView | undefined {
  const [bridge] = all<KubeObject & { spec: LLMBridgeSpecInput; status?: unknown }>(world, "llmbridges");
  if (!bridge) return undefined;
  const command = bridge.metadata.annotations?.[COMMAND_ANNOTATION];
  return {
    spec: bridge.spec,
    status: llmBridgeStatus.parse(bridge.status ?? {}),
    command: command === undefined ? undefined : (JSON.parse(command) as Command),
  };
}

export interface PodView extends KubeObject {
  readonly spec?: { readonly nodeName?: string };
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

export const isReady = ({ status }: PodView): boolean =>
  status?.conditions?.some((one) => one.type === "Ready" && one.status === "True") ?? false;

export const isLeaving = ({ metadata }: KubeObject): boolean => metadata.deletionTimestamp !== undefined;

export const revisionOf = ({ metadata }: KubeObject): string => metadata.labels?.[LABELS.revision] ?? "";

export const podsIn = (world: World): PodView[] => all<PodView>(world, "pods");

interface ServiceView extends KubeObject {
  readonly spec: { readonly selector?: Readonly<Record<string, string>> };
}

export const servicesIn = (world: World): ServiceView[] => all<ServiceView>(world, "services");

export const selectorOf = (world: World, service: string): Readonly<Record<string, string>> | undefined =>
  (world.get(`services ${service}`) as ServiceView | undefined)?.spec.selector;

interface DeploymentView extends KubeObject {
  readonly spec: { readonly replicas?: number };
}

export const deploymentsIn = (world: World): DeploymentView[] => all<DeploymentView>(world, "deployments");

export const routesIn = (world: World): HttpRoute[] => all<HttpRoute>(world, "httproutes");

export interface RuntimeView extends KubeObject {
  readonly data?: Readonly<Record<string, string>>;
}

export const configMapsIn = (world: World): RuntimeView[] => all<RuntimeView>(world, "configmaps");

const matches = (selector: Readonly<Record<string, string>>, { metadata }: KubeObject): boolean =>
  Object.entries(selector).every(([key, value]) => metadata.labels?.[key] === value);

/**
 * Ready pods that the selector leads to, by revision: those that stay. Of a version whose Deployment asks for fewer than are ready only so many count, since the
 * rest are about to be told to end.
 */
export function capacityOf(
  world: World,
  selector: Readonly<Record<string, string>> = {},
): Map<string, number> {
  const wanted = new Map(deploymentsIn(world).map((one) => [revisionOf(one), one.spec.replicas ?? 1]));
  const ready = new Map<string, number>();
  if (Object.keys(selector).length === 0) return ready;
  for (const pod of podsIn(world))
    if (isReady(pod) && !isLeaving(pod) && matches(selector, pod))
      ready.set(revisionOf(pod), (ready.get(revisionOf(pod)) ?? 0) + 1);
  return new Map(
    [...ready].map(([revision, pods]) => [revision, Math.min(pods, wanted.get(revision) ?? pods)]),
  );
}

export const sum = (numbers: Iterable<number>): number => [...numbers].reduce((total, one) => total + one, 0);
