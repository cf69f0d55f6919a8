import { PORTS } from "../../../contract/endpoints.ts";
import { LABELS } from "../../../contract/kubernetes.ts";
import { type BridgeRef, childLabels, ownerReference, selectorLabels } from "../names.ts";

/** Children that exist once per bridge: Services, ServiceAccount, PodDisruptionBudget, NetworkPolicy. Pure. */

function metadata(bridge: BridgeRef, name: string, component: string) {
  return {
    name,
    namespace: bridge.namespace,
    labels: childLabels(bridge.name, component),
    ownerReferences: [ownerReference(bridge)],
  };
}

/**
 * A ClusterIP Service over the pods of the given revisions.
 * One revision is selected by its label; several mean every pod of the bridge, which is what a step of the Replicas router needs.
 * @param ports how pods are told of their ports: by the names that pods of a bridge give them, or by number where other pods are selected too
 */
export function service(
  bridge: BridgeRef,
  name: string,
  revisions: readonly string[],
  ports: "Named" | "Numbered" = "Named",
) {
  const only = revisions.length === 1 ? revisions[0] : undefined;
  const target = (port: keyof typeof PORTS) => (ports === "Named" ? port : PORTS[port]);
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: metadata(bridge, name, "traffic"),
    spec: {
      type: "ClusterIP",
      selector: selectorLabels(bridge.name, only),
      ports: [
        { name: "http", port: 80, targetPort: target("traffic"), protocol: "TCP", appProtocol: "http" },
        {
          ...{ name: "admin", port: PORTS.admin, targetPort: target("admin") },
          ...{ protocol: "TCP", appProtocol: "http" },
        },
      ],
    },
  };
}

export function serviceAccount(bridge: BridgeRef) {
  return {
    apiVersion: "v1",
    kind: "ServiceAccount",
    metadata: metadata(bridge, bridge.name, "bridge"),
    automountServiceAccountToken: false,
  };
}

/**
 * One budget over all revisions: a drain may take one pod at a time, and a pod that is not ready never blocks a drain.
 * @param others revisions whose pods are left out: two budgets over one pod keep it from being evicted at all
 */
export function podDisruptionBudget(bridge: BridgeRef, others: readonly string[] = []) {
  return {
    apiVersion: "policy/v1",
    kind: "PodDisruptionBudget",
    metadata: metadata(bridge, bridge.name, "bridge"),
    spec: {
      maxUnavailable: 1,
      unhealthyPodEvictionPolicy: "AlwaysAllow",
      selector: podsOf(bridge, others),
    },
  };
}

function podsOf(bridge: BridgeRef, others: readonly string[]) {
  const matchLabels = selectorLabels(bridge.name);
  if (others.length === 0) return { matchLabels };
  return { matchLabels, matchExpressions: [{ key: LABELS.revision, operator: "NotIn", values: others }] };
}

/**
 * Ingress to the two ports only. Who may send is the cluster's own policy to narrow.
 * @param others revisions whose pods are left out: they listen where they like
 */
export function networkPolicy(bridge: BridgeRef, others: readonly string[] = []) {
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: metadata(bridge, bridge.name, "bridge"),
    spec: {
      podSelector: podsOf(bridge, others),
      policyTypes: ["Ingress"],
      ingress: [
        {
          ports: [
            { protocol: "TCP", port: PORTS.traffic },
            { protocol: "TCP", port: PORTS.admin },
          ],
        },
      ],
    },
  };
}
