/** How one kind of object is addressed. */
export interface Resource {
  /** Empty for the core group. */
  readonly group: string;
  readonly version: string;
  /** Lower-case plural, as in URLs and RBAC rules. */
  readonly plural: string;
  readonly kind: string;
  readonly namespaced: boolean;
}

const namespaced = (group: string, version: string, plural: string, kind: string): Resource => ({
  group,
  version,
  plural,
  kind,
  namespaced: true,
});

/** Every built-in resource that the operator touches; custom resources bring a descriptor of their own. */
export const resources = {
  configMaps: namespaced("", "v1", "configmaps", "ConfigMap"),
  /** Events as `kubectl get events` lists them. Written through `events`, which is the same storage. */
  coreEvents: namespaced("", "v1", "events", "Event"),
  customResourceDefinitions: {
    group: "apiextensions.k8s.io",
    version: "v1",
    plural: "customresourcedefinitions",
    kind: "CustomResourceDefinition",
    namespaced: false,
  },
  deployments: namespaced("apps", "v1", "deployments", "Deployment"),
  events: namespaced("events.k8s.io", "v1", "events", "Event"),
  jobs: namespaced("batch", "v1", "jobs", "Job"),
  horizontalPodAutoscalers: namespaced(
    "autoscaling",
    "v2",
    "horizontalpodautoscalers",
    "HorizontalPodAutoscaler",
  ),
  leases: namespaced("coordination.k8s.io", "v1", "leases", "Lease"),
  namespaces: { group: "", version: "v1", plural: "namespaces", kind: "Namespace", namespaced: false },
  networkPolicies: namespaced("networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy"),
  podDisruptionBudgets: namespaced("policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget"),
  pods: namespaced("", "v1", "pods", "Pod"),
  replicaSets: namespaced("apps", "v1", "replicasets", "ReplicaSet"),
  secrets: namespaced("", "v1", "secrets", "Secret"),
  serviceAccounts: namespaced("", "v1", "serviceaccounts", "ServiceAccount"),
  services: namespaced("", "v1", "services", "Service"),
} as const satisfies Record<string, Resource>;

/** `apps/v1`, or `v1` for the core group. */
export function apiVersionOf(resource: Resource): string {
  return resource.group === "" ? resource.version : `${resource.group}/${resource.version}`;
}

/** `deployments.apps`, or `pods` for the core group: the name used in metrics, logs and messages. */
export function resourceName(resource: Resource): string {
  return resource.group === "" ? resource.plural : `${resource.plural}.${resource.group}`;
}

/**
 * URL path of a collection or an object.
 * @param namespace empty for all namespaces, or for a cluster-scoped resource
 * @param name empty for the collection
 */
export function pathOf(resource: Resource, namespace = "", name = "", subresource = ""): string {
  const root = resource.group === "" ? "/api" : `/apis/${resource.group}`;
  const parts = [root, resource.version];
  if (resource.namespaced && namespace !== "") parts.push("namespaces", encodeURIComponent(namespace));
  parts.push(resource.plural);
  if (name !== "") parts.push(encodeURIComponent(name));
  if (subresource !== "") parts.push(subresource);
  return parts.join("/");
}
