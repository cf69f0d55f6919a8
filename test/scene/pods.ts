import { PATHS, PORTS } from "../../contract/endpoints.ts";
import { LABELS } from "../../contract/kubernetes.ts";
import { METRICS } from "../../contract/metrics.ts";
import type { KubeClient } from "../../operator/kube/client.ts";
import type { KubeObject } from "../../operator/kube/object.ts";
import { resources } from "../../operator/kube/resources.ts";
import type { Bridge } from "./api.ts";

/** A pod of a bridge as tests look at it. */
export interface BridgePod {
  readonly name: string;
  readonly uid: string;
  readonly revision: string;
  readonly ip: string | undefined;
  readonly ready: boolean;
  readonly terminating: boolean;
  readonly restarts: number;
  /** How its container ended before it was started again. */
  readonly lastEnd: string | undefined;
  readonly deletionCost: number;
  /** Plain variables of the container. */
  readonly env: Readonly<Record<string, string>>;
}

interface RawPod extends KubeObject {
  readonly spec: { readonly containers: readonly { env?: { name: string; value?: string }[] }[] };
  readonly status?: {
    readonly podIP?: string;
    readonly conditions?: readonly { type: string; status: string }[];
    readonly containerStatuses?: readonly {
      restartCount: number;
      lastState?: { terminated?: { exitCode: number; reason?: string; message?: string } };
    }[];
  };
}

const endOf = (end: { exitCode: number; reason?: string; message?: string } | undefined) =>
  end && `exit ${end.exitCode} ${end.reason ?? ""}: ${end.message ?? ""}`;

const DELETION_COST = "controller.kubernetes.io/pod-deletion-cost";

/** Every pod of a bridge, draining ones included. */
export async function podsOf(client: KubeClient, bridge: Bridge): Promise<BridgePod[]> {
  const labelSelector = `${LABELS.bridge}=${bridge.name}`;
  const pods = await client.list<RawPod>(resources.pods, { namespace: bridge.namespace, labelSelector });
  return pods.map(({ metadata, spec, status }) => ({
    name: metadata.name,
    uid: metadata.uid ?? "",
    revision: metadata.labels?.[LABELS.revision] ?? "",
    ip: status?.podIP,
    ready: status?.conditions?.some((one) => one.type === "Ready" && one.status === "True") ?? false,
    terminating: metadata.deletionTimestamp !== undefined,
    restarts: status?.containerStatuses?.[0]?.restartCount ?? 0,
    lastEnd: endOf(status?.containerStatuses?.[0]?.lastState?.terminated),
    deletionCost: Number(metadata.annotations?.[DELETION_COST] ?? 0),
    env: Object.fromEntries(
      (spec.containers[0]?.env ?? []).flatMap(({ name, value }) =>
        value === undefined ? [] : [[name, value]],
      ),
    ),
  }));
}

/** One sample of what a pod exports: name, labels, value. */
export interface MetricSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** What a pod exports now, read from the pod itself; nothing of one that does not answer. */
export async function metricsOf(pod: Pick<BridgePod, "ip">): Promise<MetricSample[]> {
  if (pod.ip === undefined) return [];
  try {
    const url = `http://${pod.ip}:${PORTS.admin}${PATHS.metrics}`;
    const response = await fetch(url, { signal: AbortSignal.timeout(2_000) });
    return (await response.text()).split("\n").flatMap(parseLine);
  } catch {
    return [];
  }
}

function parseLine(line: string): MetricSample[] {
  const match = /^([a-z_]+)(?:\{(.*)\})? (\S+)$/.exec(line);
  if (match === null) return [];
  const [, name = "", labels = "", value = ""] = match;
  const pairs = [...labels.matchAll(/([a-z_]+)="([^"]*)"/g)].map(([, key = "", text = ""]) => [key, text]);
  return [{ name, labels: Object.fromEntries(pairs), value: Number(value) }];
}

/** The sum of a metric's samples that carry these labels; undefined where there are none. */
export function sumOf(
  samples: readonly MetricSample[],
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number | undefined {
  const values = samples
    .filter((one) => one.name === name && Object.entries(labels).every(([key, is]) => one.labels[key] === is))
    .map(({ value }) => value);
  return values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0);
}

/** Generation of the runtime file that each pod that is not going away runs. */
export async function generations(client: KubeClient, bridge: Bridge): Promise<(number | undefined)[]> {
  const pods = (await podsOf(client, bridge)).filter((pod) => !pod.terminating);
  return Promise.all(pods.map(async (pod) => sumOf(await metricsOf(pod), METRICS.runtimeGeneration)));
}
