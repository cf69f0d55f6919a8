import { PORTS } from "../../../contract/endpoints.ts";
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
 */
export function service(bridge: BridgeRef, name: string, revisions: readonly string[]) {
  const only = revisions.length === 1 ? revisions[0] : undefined;
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: metadata(bridge, name, "traffic"),
    spec: {
      type: "ClusterIP",
      selector: selectorLabels(bridge.name, only),
      ports: [
        { name: "http", port: 80, targetPort: "traffic", protocol: "TCP", appProtocol: "http" },
        { name: "admin", port: PORTS.admin, targetPort: "admin", protocol: "TCP", appProtocol: "http" },
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

/** One budget over all revisions: a drain may take one pod at a time, and a pod that is not ready never blocks a drain. */
export function podDisruptionBudget(bridge: BridgeRef) {
  return {
    apiVersion: "policy/v1",
    kind: "PodDisruptionBudget",
    metadata: metadata(bridge, bridge.name, "bridge"),
    spec: {
      maxUnavailable: 1,
      unhealthyPodEvictionPolicy: "AlwaysAllow",
      selector: { matchLabels: selectorLabels(bridge.name) },
    },
  };
}

/** Ingress to the two ports only. Who may send is the cluster's own policy to narrow. */
export function networkPolicy(bridge: BridgeRef) {
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: metadata(bridge, bridge.name, "bridge"),
    spec: {
      podSelector: { matchLabels: selectorLabels(bridge.name) },
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
