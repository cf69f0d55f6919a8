import { LABELS } from "../../contract/kubernetes.ts";
import { GROUP, KIND, PLURAL, VERSION } from "../api/v1alpha1/llmbridge.ts";
import type { KubeClient } from "../kube/client.ts";
import { createInformer, dropManagedFields, type Informer, type InformerOptions } from "../kube/informer.ts";
import { controllerOf, formatKey, type KubeObject, type ObjectKey } from "../kube/object.ts";
import type { Shape } from "../kube/protobuf.ts";
import { type Resource, resources } from "../kube/resources.ts";
import { createSharing } from "../kube/sharing.ts";
import { RESOURCE_OF } from "./apply.ts";
import { MANAGED_BY } from "./names.ts";
import { slimChild } from "./observe/child.ts";
import { CHILD_SHAPES } from "./observe/child-shapes.ts";
import { type RawPod, slimPod } from "./observe/pod.ts";
import { POD_SHAPE } from "./observe/pod-shape.ts";
import { CHILD_KINDS, type RequiredKind } from "./plan.ts";

/** The custom resource's own descriptor. */
export const LLMBRIDGES: Resource = {
  group: GROUP,
  version: VERSION,
  plural: PLURAL,
  kind: KIND,
  namespaced: true,
};

const BY_BRIDGE = "bridge";
/** Index of bridges: the keys of the ConfigMaps that they name. */
export const BY_CONFIG_MAP = "configMap";
/** Index of bridges: the keys of the HTTPRoutes that concern them, theirs by name and the one that they refer to. */
export const BY_ROUTE = "route";
const MANAGED_SELECTOR = Object.entries(MANAGED_BY)
  .map(([key, value]) => `${key}=${value}`)
  .join(",");

/** Every informer of the controller. Children and pods are filtered by label at the server and indexed by their bridge. */
export interface Caches {
  readonly bridges: Informer<KubeObject>;
  readonly children: Readonly<Record<RequiredKind, Informer<KubeObject>>>;
  readonly pods: Informer<KubeObject & RawPod>;
  readonly all: readonly Informer<KubeObject>[];
}

export interface CacheOptions
  extends Pick<InformerOptions<KubeObject>, "clock" | "random" | "log" | "metrics" | "namespace"> {
  /** Label selector of the bridges that are reconciled. Default: all. Their children are known by their owner, not by their labels. */
  readonly bridgeSelector?: string;
}

export function createCaches(client: KubeClient, { bridgeSelector = "", ...given }: CacheOptions): Caches {
  const options = { ...given, isVital: true };
  const owned = <T extends KubeObject>(resource: Resource, transform: (object: T) => T, shape?: Shape) =>
    createInformer<T>({ ...options, client, resource, ...OWNED, transform, shape });
  // The children of a bridge and the bridges of a cluster say much alike.
  const share = createSharing();
  const bridges = createInformer<KubeObject>({
    ...options,
    client,
    resource: LLMBRIDGES,
    transform: (bridge) => share(dropManagedFields(bridge)),
    indexers: { [BY_CONFIG_MAP]: configMapIndex, [BY_ROUTE]: routesOf },
    ...(bridgeSelector === "" ? {} : { labelSelector: bridgeSelector }),
  });
  const children = Object.fromEntries(
    CHILD_KINDS.map((kind) => [
      kind,
      owned(RESOURCE_OF[kind], (child) => share(slimChild(kind, child)), CHILD_SHAPES[kind]),
    ]),
  ) as Record<RequiredKind, Informer<KubeObject>>;
  const pods = owned<KubeObject & RawPod>(resources.pods, (pod) => share(slimPod(pod)), POD_SHAPE);
  return {
    bridges,
    children,
    pods,
    all: [bridges, ...Object.values(children), pods as unknown as Informer<KubeObject>],
  };
}

interface RawTraffic {
  readonly spec?: {
    readonly rollout?: {
      readonly traffic?: { readonly router?: string; readonly routeRef?: { readonly name?: string } };
    };
  };
}

const trafficOf = (bridge: KubeObject) => (bridge as RawTraffic).spec?.rollout?.traffic;

export const usesRoute = (bridge: KubeObject): boolean => trafficOf(bridge)?.router === "Gateway";

function routesOf(bridge: KubeObject): readonly string[] {
  if (!usesRoute(bridge)) return [];
  const { namespace = "", name } = bridge.metadata;
  const named = trafficOf(bridge)?.routeRef?.name;
  return [...new Set([name, named ?? name])].map((one) => formatKey({ namespace, name: one }));
}

/** The bridge a labelled object says it belongs to. */
export function bridgeKeyOf(object: KubeObject): ObjectKey | undefined {
  const name = object.metadata.labels?.[LABELS.bridge];
  return name === undefined ? undefined : { namespace: object.metadata.namespace ?? "", name };
}

function bridgeIndex(object: KubeObject): readonly string[] {
  const key = bridgeKeyOf(object);
  return key ? [formatKey(key)] : [];
}

/** Keys of the ConfigMaps that a bridge's stored spec names, valid or not. */
export function configMapIndex(object: KubeObject): readonly string[] {
  const { namespace = "" } = object.metadata;
  const { pod } = (object as { spec?: { pod?: StoredPod } }).spec ?? {};
  const refs = [
    ...(pod?.env ?? []).map(({ configMapRef }) => configMapRef),
    ...(pod?.envFrom ?? []).map(({ configMapRef }) => configMapRef),
    ...(pod?.mounts ?? []).map(({ configMap }) => configMap),
  ];
  return [...new Set(refs.flatMap((ref) => (ref?.name ? [formatKey({ namespace, name: ref.name })] : [])))];
}

interface StoredPod {
  readonly env?: readonly { readonly configMapRef?: { readonly name?: string } }[];
  readonly envFrom?: readonly { readonly configMapRef?: { readonly name?: string } }[];
  readonly mounts?: readonly { readonly configMap?: { readonly name?: string } }[];
}

/** Bridges whose pods read the ConfigMap. */
export function bridgesReading({ bridges }: Caches, configMap: ObjectKey): readonly KubeObject[] {
  return bridges.store.byIndex(BY_CONFIG_MAP, formatKey(configMap));
}

/** Selects the children of one bridge at the server, as the caches do. */
export const selectorOf = (bridge: string): string => `${MANAGED_SELECTOR},${LABELS.bridge}=${bridge}`;

/** Objects of a cache that say they belong to the bridge, or to one that had its name. */
export const saidOf = <T extends KubeObject>(informer: Informer<T>, key: ObjectKey): readonly T[] =>
  informer.store.byIndex(BY_BRIDGE, formatKey(key));

/** How children are selected at the server and found again in a cache. */
export const OWNED = { labelSelector: MANAGED_SELECTOR, indexers: { [BY_BRIDGE]: bridgeIndex } };

/** Whether every cache covers the namespace, and may go on to: what is missing in one that may not be read is not known to be missing. */
export const isWhole = ({ all }: Pick<Caches, "all">, namespace: string): boolean =>
  all.every((informer) => informer.isListed(namespace) && !informer.refusal(namespace));

/** Objects of a cache that belong to the bridge by label and, where it has one, by controller reference. */
export function ofBridge<T extends KubeObject>(informer: Informer<T>, key: ObjectKey, uid: string): T[] {
  return saidOf(informer, key).filter((object) => controllerOf(object)?.uid === uid);
}

/** Pods are owned by ReplicaSets, so they go by label alone. */
export function podsOfBridge(caches: Caches, key: ObjectKey): readonly (KubeObject & RawPod)[] {
  return saidOf(caches.pods, key);
}
