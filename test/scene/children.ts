import { type Resource, resources } from "../../operator/kube/resources.ts";

/** Kinds of what the operator makes for a bridge, and the pods that come of it. */
export const CHILD_KINDS: readonly Resource[] = [
  resources.deployments,
  resources.services,
  resources.configMaps,
  resources.serviceAccounts,
  resources.podDisruptionBudgets,
  resources.networkPolicies,
  resources.pods,
];
