import { POD_MONITORS } from "./bridges/apply.ts";
import { LLMBRIDGES } from "./bridges/caches.ts";
import { FINGERPRINT_KEY } from "./bridges/observe/fingerprints.ts";
import { HTTP_ROUTES } from "./bridges/route/http-route.ts";
import { type Resource, resourceName, resources } from "./kube/resources.ts";

export type Verb = "create" | "delete" | "get" | "list" | "patch" | "update" | "watch";

/** What the operator may do to one kind of object. */
export interface Permission {
  readonly resource: Resource;
  readonly subresource?: string;
  readonly verbs: readonly Verb[];
  /** Only the object of this name. Default: all. */
  readonly name?: string;
  /** Why it needs this; shown beside the rule. */
  readonly why: string;
  /** Asked by the API server itself on a write, so that no request of the operator shows its use. */
  readonly askedByAdmission?: boolean;
}

/** A rule of a Role, as the Kubernetes API writes it. */
export interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
  readonly resourceNames?: readonly string[];
}

export const ruleOf = ({ resource, subresource, verbs, name }: Permission): Rule => ({
  apiGroups: [resource.group],
  resources: [withSubresource(resource.plural, subresource)],
  verbs,
  ...(name === undefined ? {} : { resourceNames: [name] }),
});

/** `llmbridges/status`, or the name alone. */
export const withSubresource = (name: string, subresource: string | undefined): string =>
  subresource === undefined ? name : `${name}/${subresource}`;

/** A child is made where its name is free, and read where it is not; what is unlike its plan is applied again. */
const KEPT: readonly Verb[] = ["create", "get", "list", "patch", "watch"];
/** Revisions beyond the history limit go; all else goes with its bridge, by the garbage collector. */
const KEPT_AND_REMOVED: readonly Verb[] = ["create", "delete", "get", "list", "patch", "watch"];

/**
 * All that the operator asks of the API server about bridges and their children: in the whole cluster, or in each namespace that it
 * watches. The chart's roles are generated from this table, and a test compares it with the API server's audit log. What may be watched
 * may be listed too, for servers that do not stream lists.
 */
export const BRIDGE_PERMISSIONS: readonly Permission[] = [
  {
    resource: LLMBRIDGES,
    verbs: ["get", "list", "patch", "watch"],
    why: "A new leader reads a bridge anew before its first write for it. Patched only in finalizers: a bridge that takes over is deleted once that is given back.",
  },
  { resource: LLMBRIDGES, subresource: "status", verbs: ["patch"], why: "Reports." },
  {
    resource: LLMBRIDGES,
    subresource: "finalizers",
    verbs: ["update"],
    why: "Children name their bridge as a blocking owner, which OwnerReferencesPermissionEnforcement asks this for.",
    askedByAdmission: true,
  },
  ...[resources.deployments, resources.configMaps].map((resource) => ({
    resource,
    verbs: KEPT_AND_REMOVED,
    why: "A bridge's revisions; those beyond the history limit are deleted. Of the Deployment that a spec takes over, replicas and annotations alone.",
  })),
  ...[
    resources.serviceAccounts,
    resources.services,
    resources.podDisruptionBudgets,
    resources.networkPolicies,
  ].map((resource) => ({
    resource,
    verbs: KEPT,
    why: "A bridge's other children, which the garbage collector removes, and the selector and ports of the Service that a spec takes over.",
  })),
  {
    resource: resources.pods,
    verbs: ["list", "patch", "watch"],
    why: "Patched only in annotations: a touch makes kubelet refresh mounted files at once, and deletion cost names the pod to go first. Pods that are taken over get labels by which Services find them.",
  },
  {
    resource: resources.pods,
    subresource: "eviction",
    verbs: ["create"],
    why: "`kubectl llmbridge restart` replaces pods, as far as disruption budgets allow.",
  },
  {
    resource: resources.horizontalPodAutoscalers,
    verbs: ["list"],
    why: "Whether one scales the Deployment that a spec takes over.",
  },
  {
    resource: resources.coreEvents,
    verbs: ["list"],
    why: "kubelet's reasons why an image cannot be pulled or a Secret is missing.",
  },
  { resource: resources.events, verbs: ["create", "patch"], why: "Tells what it does and why." },
];

/** In its own namespace: who leads. All but `create`, of which a name cannot be asked, only for the Lease of its own name. */
export const LEASE_PERMISSIONS: readonly Permission[] = [
  { resource: resources.leases, verbs: ["create", "get", "list", "patch", "watch"], why: "Leader election." },
];

/** Where the administrator names Secrets whose changes may start canaries: of each of those. As BRIDGE_PERMISSIONS. */
export const CANARY_SECRET_PERMISSIONS: readonly Permission[] = [
  {
    resource: resources.secrets,
    verbs: ["get", "watch"],
    why: "Whether a Secret has changed of which a bridge wants a canary; nothing but the names that are listed.",
  },
];

/** Beside them: a name cannot be asked of a create. As BRIDGE_PERMISSIONS. */
export const SECRET_COPY_PERMISSIONS: readonly Permission[] = [
  {
    resource: resources.secrets,
    verbs: ["create"],
    why: "The copies of these that revisions keep, which the garbage collector removes. It reads, changes and deletes none.",
  },
];

/** Beside them, in its own namespace: that of its own name. */
export const FINGERPRINT_KEY_PERMISSIONS: readonly Permission[] = [
  {
    resource: resources.secrets,
    verbs: ["get"],
    name: FINGERPRINT_KEY,
    why: "Its key, by which it tells that a Secret has changed without telling what is in it.",
  },
  {
    resource: resources.secrets,
    verbs: ["create"],
    why: "That key, where there is none yet.",
  },
];

/** Where the settings ask for PodMonitors; as BRIDGE_PERMISSIONS in the whole cluster, or in each namespace that it watches. */
export const POD_MONITOR_PERMISSIONS: readonly Permission[] = [
  {
    resource: POD_MONITORS,
    verbs: KEPT,
    why: "A bridge's PodMonitor, which the garbage collector removes.",
  },
];

/** Beside them, for an operator that watches the whole cluster. */
export const POD_MONITOR_DEFINITION_PERMISSIONS: readonly Permission[] = [definitionOf(POD_MONITORS)];

/** Where the settings let gates run Jobs; as BRIDGE_PERMISSIONS in the whole cluster, or in each namespace that it watches. */
export const GATE_JOB_PERMISSIONS: readonly Permission[] = [
  {
    resource: resources.jobs,
    verbs: KEPT_AND_REMOVED,
    why: "The Jobs of a rollout's gates, deleted when they are given up and when the rollout is over.",
  },
];

/** Where the settings let bridges use HTTPRoutes; as BRIDGE_PERMISSIONS in the whole cluster, or in each namespace that it watches. */
export const HTTP_ROUTE_PERMISSIONS: readonly Permission[] = [
  {
    resource: HTTP_ROUTES,
    verbs: KEPT_AND_REMOVED,
    why: "A bridge's own route, deleted when its spec asks for none, and the weights in the routes that specs name.",
  },
];

/** Beside them, for an operator that watches the whole cluster. */
export const HTTP_ROUTE_DEFINITION_PERMISSIONS: readonly Permission[] = [definitionOf(HTTP_ROUTES)];

/** Tells whether an API that need not be there is served. */
function definitionOf(optional: Resource): Permission {
  return {
    resource: resources.customResourceDefinitions,
    name: resourceName(optional),
    verbs: ["list", "watch"],
    why: `Whether ${optional.kind}s are served; asked for by its name alone.`,
  };
}
