import type { GateMetric } from "../../api/v1alpha1/rollout.ts";
import type { GateReadings } from "../../evidence/gates.ts";
import { median } from "../../evidence/gauges.ts";
import type { PodReading } from "../../prometheus/source.ts";
import type { Snapshot } from "../snapshot.ts";

/** What each gate metric is of one pod; undefined where the pod does not tell. */
const VALUES: Record<GateMetric, (pod: PodReading, cpuLimit: number) => number | undefined> = {
  ErrorShare: (pod) => pod.errorShare,
  FirstByteP95: (pod) => pod.firstByteP95Seconds,
  TotalP95: (pod) => pod.totalP95Seconds,
  MemoryPerPod: (pod) => pod.memoryBytes,
  CpuShare: (pod, cpuLimit) => (pod.cpuCores === undefined ? undefined : pod.cpuCores / cpuLimit),
  GcTimeShare: (pod) => pod.gcShare,
  MessagesPerCpuSecond: (pod) => perCpuSecond(pod.messagesPerSecond, pod.cpuCores),
  RequestsPerCpuSecond: (pod) => perCpuSecond(pod.requestsPerSecond, pod.cpuCores),
};

/** Throughput per CPU second: a tenth of the traffic cannot show what a whole version can take, but it shows its price. */
function perCpuSecond(perSecond: number | undefined, cpuCores: number | undefined): number | undefined {
  return perSecond === undefined || cpuCores === undefined || cpuCores <= 0
    ? undefined
    : perSecond / cpuCores;
}

/** What is read as it is at one moment; everything else is a rate, a mean or a percentile over the window of the reading. */
const MOMENTARY: ReadonlySet<GateMetric> = new Set(["MemoryPerPod"]);

/** See Gauges.load: of the median pods, as the values are. At 100% the stable version's pods serve nobody, however alike all are without traffic. */
function relativeLoad(canary: readonly PodReading[], stable: readonly PodReading[]): number | undefined {
  const [ours, theirs] = [canary, stable].map((pods) => median(pods.flatMap((pod) => served(pod) ?? [])));
  if (ours === undefined || theirs === undefined) return undefined;
  return ours === theirs ? 1 : ours / theirs;
}

/** Requests and WebSocket messages per second. */
function served({ requestsPerSecond, messagesPerSecond }: PodReading): number | undefined {
  return requestsPerSecond === undefined && messagesPerSecond === undefined
    ? undefined
    : (requestsPerSecond ?? 0) + (messagesPerSecond ?? 0);
}

/** Readings of the ready pods of both versions for every gate metric. */
export function gateReadings(
  snapshot: Snapshot,
  revisions: { readonly canary: string; readonly stable: string },
  cpuLimit: number,
): GateReadings {
  const ready = new Set(snapshot.pods.filter((pod) => pod.ready && !pod.terminating).map((pod) => pod.name));
  const readings = snapshot.fleet.kind === "ok" ? snapshot.fleet.value : [];
  const of = (revision: string) =>
    readings.filter((one) => one.revision === revision && !one.stale && ready.has(one.pod));
  const [canary, stable] = [of(revisions.canary), of(revisions.stable)];
  const values = (metric: GateMetric, pods: readonly PodReading[]) =>
    pods.map((pod) => VALUES[metric](pod, cpuLimit)).filter((value) => value !== undefined);
  const load = snapshot.status.rollout?.weight === 100 ? undefined : relativeLoad(canary, stable);
  const windowMs = Math.max(0, ...[...canary, ...stable].map((pod) => pod.windowMs));
  return Object.fromEntries(
    (Object.keys(VALUES) as GateMetric[]).map((metric) => [
      metric,
      {
        canary: values(metric, canary),
        stable: values(metric, stable),
        load,
        windowMs: MOMENTARY.has(metric) ? 0 : windowMs,
      },
    ]),
  );
}
