import { PATHS } from "../../../contract/endpoints.ts";
import { canonicalJson } from "../canonical.ts";
import {
  ANNOTATIONS,
  type BridgeRef,
  childLabels,
  ownerReference,
  selectorLabels,
  shortHash,
} from "../names.ts";

/** What the administrator's settings say of PodMonitors. */
export interface PodMonitorSettings {
  /** Beside the labels that every child has. */
  readonly labels: Readonly<Record<string, string>>;
  /** A duration of Prometheus. */
  readonly interval: string;
  /** The labels by which each metric source names a pod and its namespace. */
  readonly sources: readonly { readonly namespace: string; readonly pod: string }[];
}

/** Labels that the Prometheus Operator gives every series of a PodMonitor by itself. */
const GIVEN = { namespace: "namespace", pod: "pod" } as const;

const META = { namespace: "__meta_kubernetes_namespace", pod: "__meta_kubernetes_pod_name" } as const;

/**
 * Has the pods of all of a bridge's revisions scraped, whether they are ready, drain or neither. Their series carry the labels that the
 * operator's own queries ask for: bridge and revision come from the pods, pod and namespace by the names that the sources know them by. Pure.
 */
export function podMonitor(bridge: BridgeRef, { labels, interval, sources }: PodMonitorSettings) {
  const relabelings = (["namespace", "pod"] as const).flatMap((what) =>
    [...new Set(sources.map((source) => source[what]))]
      .filter((targetLabel) => targetLabel !== GIVEN[what])
      .sort()
      .map((targetLabel) => ({ sourceLabels: [META[what]], targetLabel })),
  );
  const settings = shortHash(canonicalJson({ labels, interval, relabelings }));
  return {
    apiVersion: "monitoring.coreos.com/v1",
    kind: "PodMonitor",
    metadata: {
      name: bridge.name,
      namespace: bridge.namespace,
      labels: { ...labels, ...childLabels(bridge.name, "bridge") },
      annotations: { [ANNOTATIONS.settings]: settings },
      ownerReferences: [ownerReference(bridge)],
    },
    spec: {
      selector: { matchLabels: selectorLabels(bridge.name) },
      podMetricsEndpoints: [
        { port: "admin", path: PATHS.metrics, interval, ...(relabelings.length > 0 ? { relabelings } : {}) },
      ],
    },
  };
}
