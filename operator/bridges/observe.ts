import { GROUP, KIND, VERSION } from "../api/v1alpha1/llmbridge.ts";
import type { LLMBridgeSpec } from "../api/v1alpha1/spec.ts";
import { type LLMBridgeStatus, llmBridgeStatus } from "../api/v1alpha1/status.ts";
import type { Traffic } from "../api/v1alpha1/traffic.ts";
import { readManifest } from "../api/v1alpha1/validate.ts";
import type { KubeClient } from "../kube/client.ts";
import type { KubeObject } from "../kube/object.ts";
import type { MetricSource, Reading } from "../prometheus/source.ts";
import { judgedPair, watchedRevision } from "../rollout/watch.ts";
import { type Caches, ofBridge, podsOfBridge } from "./caches.ts";
import { FORECAST_EVERY_MS } from "./decide/forecast.ts";
import { observeDeployment } from "./difference.ts";
import type { Gates } from "./gates.ts";
import type { Memory } from "./memory.ts";
import type { BridgeRef } from "./names.ts";
import { type AnalysisSettings, analysisInForce, withAnalysis } from "./observe/analysis.ts";
import { commandGivenTo } from "./observe/command.ts";
import type { Judging } from "./observe/evidence.ts";
import { knownEvidence, knownWatch } from "./observe/known.ts";
import { kubeletReasons } from "./observe/kubelet.ts";
import { type Measurements, type Question, UNMEASURED } from "./observe/measurements.ts";
import type { Measuring } from "./observe/measuring.ts";
import { withoutNewerFields } from "./observe/newer-fields.ts";
import { type ObservedPod, observePod } from "./observe/pod.ts";
import { perObject } from "./per-object.ts";
import { CHILD_KINDS, type ChildObject } from "./plan.ts";
import { type ConfigMapReadings, configMapRefs, type WantedContent } from "./references.ts";
import type { ObservedRoute } from "./route/http-route.ts";
import { type SecretFindings, wantedSecrets } from "./secret-references.ts";
import type { Observed, PodMonitorState, Snapshot, WriteProblem } from "./snapshot.ts";
import type { ObservedTakeOver, TakenNames } from "./take-over/observed.ts";
import { readTakeOver } from "./take-over/read.ts";
import { takenNames } from "./take-over/view.ts";

export interface ObserveDependencies {
  readonly client: KubeClient;
  readonly caches: Caches;
  /** The administrator's source of that name, if the namespace may use it. */
  readonly source: (name: string, namespace: string) => Reading<MetricSource>;
  /** The administrator's analyses, as of now. */
  readonly analyses: () => AnalysisSettings;
  readonly podMonitor: (bridge: BridgeRef) => PodMonitorState | undefined;
  readonly route: (bridge: BridgeRef, traffic: Traffic) => ObservedRoute;
  readonly gates: Gates["look"];
  readonly measuring: Measuring;
  readonly readConfigMaps: (namespace: string, names: readonly string[]) => Promise<ConfigMapReadings>;
  readonly readSecrets: (bridge: BridgeRef, wanted: readonly WantedContent[]) => Promise<SecretFindings>;
  readonly now: () => number;
  /** Ends the pass. */
  readonly signal: AbortSignal;
  readonly rendererVersion: string;
}

/**
 * The only reads of a pass: caches of children and pods, and one or two queries to the metric source, which are not waited for for long.
 * Never throws for what a metric source does; what it could not tell is a failing reading in the snapshot.
 */
export async function observe(
  dependencies: ObserveDependencies,
  object: KubeObject,
  memory: Memory,
  problem: WriteProblem | undefined,
): Promise<Observed> {
  const { caches, now, signal, rendererVersion } = dependencies;
  const nowMs = now();
  const bridge = refOf(object);
  const createdMs = Date.parse(object.metadata.creationTimestamp ?? "") || 0;
  const pods = podsOfBridge(caches, bridge)
    .map(observePod)
    .map((pod) => ofThisBridge(pod, createdMs));
  const { spec: own, status, unreadableStatus } = parsed(object);
  const analysis = own.ok ? analysisInForce(own.value.rollout.analysis, dependencies.analyses()) : undefined;
  const spec = own.ok && analysis ? { ...own, value: withAnalysis(own.value, analysis) } : own;
  const ask = async (value: LLMBridgeSpec): Promise<Measurements> => {
    const source = dependencies.source(value.metrics.source, bridge.namespace);
    const scrapeMs = source.kind === "ok" ? source.value.scrapeIntervalMs : undefined;
    return dependencies.measuring.measure(source, {
      bridge,
      spec: value,
      status,
      known: counted(status, memory, value.rollout, scrapeMs),
      forecastDue: memory.forecastMs === undefined || nowMs - memory.forecastMs >= FORECAST_EVERY_MS,
      pods,
      nowMs,
    });
  };
  const names = spec.ok ? [...new Set(configMapRefs(spec.value).map(({ name }) => name))] : [];
  const taken = takenNames(spec.ok ? spec.value : undefined, status);
  const [measurements, kubelet, configMaps, secrets, takeOver] = await Promise.all([
    spec.ok ? ask(spec.value) : UNMEASURED,
    kubeletReasons(dependencies.client, bridge.namespace, pods, memory.kubelet, nowMs, signal),
    dependencies.readConfigMaps(bridge.namespace, names),
    dependencies.readSecrets(bridge, spec.ok ? wantedSecrets(spec.value) : []),
    taken === undefined || isResting(status, memory, nowMs, spec.ok && !spec.value.takeOver)
      ? unread(taken)
      : readTakeOver(dependencies.client, bridge, taken, object.metadata.finalizers ?? [], signal),
  ]);
  return {
    nowMs,
    bridge,
    generation: object.metadata.generation ?? 0,
    spec,
    analysisProblem: analysis?.ok === false ? analysis.message : undefined,
    status,
    unreadableStatus,
    command: commandGivenTo(object),
    children: CHILD_KINDS.filter((kind) => kind !== "deployments").flatMap((resource) =>
      ofBridge(caches.children[resource], bridge, bridge.uid).map((child) => ({
        resource,
        object: child as unknown as ChildObject,
      })),
    ),
    deployments: ofBridge(caches.children.deployments, bridge, bridge.uid).flatMap(
      (one) => observeDeployment(one as unknown as Parameters<typeof observeDeployment>[0]) ?? [],
    ),
    pods,
    kubelet,
    configMaps,
    secrets,
    problem,
    // A book that cannot be read is not an empty one.
    gates: dependencies.gates(bridge, spec.ok && !unreadableStatus ? spec.value : undefined, status),
    podMonitor: dependencies.podMonitor(bridge),
    route: spec.ok ? dependencies.route(bridge, spec.value.rollout.traffic) : { kind: "Unknown" },
    takeOver,
    ...measurements,
    memory,
    rendererVersion,
  };
}

/** What has handed over is looked at this often while the bridge rests: only somebody else's hand can change it. */
const LOOK_AGAIN_MS = 5 * 60_000;

function isResting(
  { takeOver, phase }: LLMBridgeStatus,
  { takeOverMs }: Memory,
  nowMs: number,
  isLetGo: boolean,
): boolean {
  const atRest = phase === "Stable" || phase === "Aborted";
  if (!takeOver?.complete || isLetGo || !atRest || takeOverMs === undefined) return false;
  return nowMs - takeOverMs < LOOK_AGAIN_MS;
}

const unread = (taken: TakenNames | undefined): ObservedTakeOver => ({ kind: taken ? "Resting" : "None" });

/**
 * A pod that is older than its bridge is left over from a deleted one of the same name. It serves nobody in our name any more, but it
 * holds its connections until it is gone.
 */
export function ofThisBridge(pod: ObservedPod, bridgeCreatedMs: number): ObservedPod {
  return pod.createdMs < bridgeCreatedMs ? { ...pod, terminating: true, ready: false } : pod;
}

export function refOf(object: KubeObject): BridgeRef {
  const { namespace = "", name, uid } = object.metadata;
  return { namespace, name, uid };
}

/** Most looks are at an object that was looked at before. */
const parsed = perObject((object: KubeObject) => ({
  spec: parseSpec(object.metadata.name, (object as { spec?: unknown }).spec),
  ...parseStatus(object),
}));

/**
 * A spec as the lint sees it, so that the condition says what `kubectl llmbridge lint` says; but fields of a newer CRD are passed over,
 * and named.
 */
export function parseSpec(name: string, stored: unknown): Snapshot["spec"] {
  const whole = lintedSpec(name, stored);
  if (whole.ok) return whole;
  const { spec, newer } = withoutNewerFields(stored);
  return newer.length === 0 ? whole : lintedSpec(name, spec, newer);
}

function lintedSpec(name: string, spec: unknown, newer: readonly string[] = []): Snapshot["spec"] {
  const manifest = { apiVersion: `${GROUP}/${VERSION}`, kind: KIND, metadata: { name }, spec };
  const read = readManifest(manifest);
  return read.ok ? { ok: true, value: read.spec, newer } : read;
}

export function parseStatus(object: KubeObject): Pick<Snapshot, "status" | "unreadableStatus"> {
  const raw = (object as { status?: unknown }).status ?? {};
  const parsed = llmBridgeStatus.safeParse(raw);
  if (parsed.success) return { status: parsed.data, unreadableStatus: undefined };
  const place = parsed.error.issues[0]?.path.join(".") ?? "";
  // Conditions keep their shape in every version, and their times go on.
  const known = llmBridgeStatus.pick({ conditions: true }).safeParse(raw);
  return {
    status: llmBridgeStatus.parse(known.success ? known.data : {}),
    unreadableStatus: `status.${place} was written by a version of the operator that this one cannot read; nothing is changed until it can.`,
  };
}

/** What requests of the version that is judged were counted, and until when, as a canary or after its promotion. */
function counted(
  status: LLMBridgeStatus,
  memory: Memory,
  judging: Judging,
  scrapeMs: number | undefined,
): Question["known"] {
  const watched = watchedRevision(status.rollout);
  if (watched !== undefined) return knownWatch(status, memory, watched, judging.analysis, scrapeMs);
  const canary = judgedPair(status.rollout)?.canary;
  return canary === undefined ? undefined : knownEvidence(status, memory, canary, judging, scrapeMs);
}
