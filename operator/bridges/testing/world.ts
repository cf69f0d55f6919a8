import { LABELS } from "../../../contract/kubernetes.ts";
import type { Command } from "../../api/v1alpha1/commands.ts";
import { durationMs } from "../../api/v1alpha1/scalars.ts";
import type { LLMBridgeSpecInput } from "../../api/v1alpha1/spec.ts";
import { llmBridgeStatus } from "../../api/v1alpha1/status.ts";
import type { Baseline } from "../../evidence/baseline.ts";
import type { IntervalCounts, Missing } from "../../evidence/counts.ts";
import type { KubeObject } from "../../kube/object.ts";
import type { Failing, PodReading } from "../../prometheus/source.ts";
import { failing } from "../../prometheus/source.ts";
import { ALONE, type FleetView } from "../../rollout/fleet/view.ts";
import { comparedPair, watchedRevision } from "../../rollout/watch.ts";
import { decide } from "../decide.ts";
import { observeDeployment } from "../difference.ts";
import { retirement } from "../ending.ts";
import { emptyMemory, type Memory } from "../memory.ts";
import { ANNOTATIONS, type BridgeRef } from "../names.ts";
import { slimChild } from "../observe/child.ts";
import { countingMs, pastEndMs } from "../observe/evidence.ts";
import { knownEvidence, knownWatch } from "../observe/known.ts";
import type { ObservedPod } from "../observe/pod.ts";
import { parseSpec } from "../observe.ts";
import type { ObservedChild } from "../observed-children.ts";
import { perObject } from "../per-object.ts";
import type { ChildObject, Plan, RequiredKind, Write } from "../plan.ts";
import { type ConfigMapReading, configMapsFor } from "../references.ts";
import { type SecretFinding, secretsFor } from "../secret-references.ts";
import type { Snapshot } from "../snapshot.ts";

interface WorldPod extends ObservedPod {
  generation: number | undefined;
}

/** How it goes, by image or by revision: share of requests that fails by the bridge's own fault, memory of a pod, and whether pods become ready. */
export interface Behaviour {
  errorShare?: number;
  memoryBytes?: number;
  neverReady?: boolean;
  crash?: boolean;
}

/** A child as the operator's cache holds it. */
const cached = perObject(({ resource, object }: ObservedChild): ObservedChild => {
  const slim = slimChild(resource as RequiredKind, object as KubeObject);
  return { resource, object: slim as ChildObject };
});

/**
 * A small world in virtual time that plans are carried out in: Deployments get pods, pods become ready and serve, their requests are
 * counted. It knows nothing of the API server's ways (the real one is tested against elsewhere), only what decisions lead to.
 */
export class World {
  nowMs = Date.parse("2026-01-01T00:00:00Z");
  spec: LLMBridgeSpecInput;
  generation = 1;
  status = llmBridgeStatus.parse({});
  memory: Memory;
  command: Command | undefined;
  metricsDown = false;
  /** What comes of each question about the stable version's past, where that is no answer. */
  pastFails: Failing | undefined;
  /** Names of pods that the source does not scrape. */
  unscraped: readonly string[] = [];
  /** What the settings of the source say of the time between two scrapes. */
  scrapeMs: number | undefined;
  /** Signals whose series the source does not have, and how it says so. */
  missing: Missing = {};
  /** What pods tell of the Secrets that they mount, by pod. */
  secrets: Record<string, PodReading["secrets"]> = {};
  /** ConfigMaps of its namespace; one that a spec names and nobody gave is there and has every key that is asked for. */
  configMaps: Record<string, ConfigMapReading> = {};
  /** Secrets of its namespace of which a bridge wants canaries; one that nobody gave is there and has every key that is asked for. */
  secretFindings: Record<string, SecretFinding> = {};
  /** Copies of Secrets that were made, by name. */
  readonly copies = new Map<string, Extract<Write, { kind: "KeepSecret" }>>();
  /** What there is beside this bridge. */
  rollouts: FleetView = ALONE;
  /** Version of the operator that looks; another one from here on is an upgrade. */
  rendererVersion = "test";
  requestsPerSecond = 300;
  /** CPU seconds that a request costs, beside what a pod costs without any. */
  cpuPerRequest = 0;
  /** Requests in progress over all pods. */
  streams = 4;
  /** What the source tells of a stable version's past, as it was until then. */
  past: (endMs: number) => Baseline = () => ({});
  behaviours: Record<string, Behaviour> = {};
  /** Pods fail so many requests more while they are younger than this. */
  warmUp: { readonly errorShare: number; readonly forMs: number } = { errorShare: 0, forMs: 0 };
  /** HTTPRoutes are followed, and there is this one. */
  route: Snapshot["route"] = { kind: "Disabled" };
  readonly children = new Map<string, ObservedChild>();
  readonly deployments = new Map<string, ChildObject & { spec: { replicas: number } }>();
  pods: WorldPod[] = [];
  readonly decisions: { action: string; reason: string; message: string }[] = [];
  readonly writes: Write[] = [];
  private version = 1;
  private podNumber = 0;
  private parsedSpec: { readonly of: LLMBridgeSpecInput; readonly spec: Snapshot["spec"] } | undefined;
  readonly bridge: BridgeRef;

  constructor(spec: LLMBridgeSpecInput, bridge = { namespace: "ai", name: "chat" }) {
    this.spec = spec;
    this.bridge = { ...bridge, uid: "u-1" };
    this.memory = emptyMemory(this.nowMs);
  }

  edit(change: (spec: LLMBridgeSpecInput) => LLMBridgeSpecInput): void {
    this.spec = change(this.spec);
    this.generation += 1;
  }

  /** The operator reads a spec once, too. */
  private parsed(): Snapshot["spec"] {
    if (this.parsedSpec?.of !== this.spec)
      this.parsedSpec = { of: this.spec, spec: parseSpec(this.bridge.name, this.spec) };
    return this.parsedSpec.spec;
  }

  /** Forgets what a process forgets. */
  restartOperator(): void {
    this.memory = emptyMemory(this.nowMs);
  }

  snapshot(): Snapshot {
    const readings = this.readings();
    return {
      nowMs: this.nowMs,
      bridge: this.bridge,
      generation: this.generation,
      spec: this.parsed(),
      status: this.status,
      analysisProblem: undefined,
      gates: { answers: [], problem: undefined },
      unreadableStatus: undefined,
      command: this.command,
      children: [...this.children.values()].map(cached),
      deployments: [...this.deployments.values()].flatMap((one) => observeDeployment(one) ?? []),
      pods: this.pods,
      kubelet: {},
      problem: undefined,
      podMonitor: undefined,
      route: this.route,
      takeOver: { kind: "None" },
      fleet: this.metricsDown
        ? failing("SourceFailing", "The source is down.")
        : { kind: "ok", value: readings },
      evidence: this.evidence(),
      scrapeMs: this.scrapeMs,
      forecast: this.status.rollout?.stableRevision ? { kind: "ok", value: {} } : undefined,
      configMaps: { ...configMapsFor(this.parsed()), ...this.configMaps },
      secrets: { ...secretsFor(this.parsed()), ...this.secretFindings },
      rollouts: this.rollouts,
      memory: this.memory,
      rendererVersion: this.rendererVersion,
    };
  }

  /** One pass of the operator, carried out. */
  pass(): Plan {
    const { plan, memory } = decide(this.snapshot());
    for (const write of plan.writes) this.carryOut(write);
    this.writes.push(...plan.writes);
    this.status = llmBridgeStatus.parse(plan.status);
    this.memory = memory;
    this.decisions.push(...plan.decisions);
    return plan;
  }

  /** Time goes on; the operator looks whenever it said it would, and pods become ready a second after they start. */
  run(duration: string): void {
    const end = this.nowMs + durationMs(duration);
    while (this.nowMs < end) {
      const plan = this.pass();
      this.kubelet();
      this.nowMs += Math.min(Math.max(plan.wakeAfterMs ?? 10_000, 500), 2_000);
    }
  }

  servicePods(name: string): string[] {
    const selector =
      (this.children.get(`services/${name}`)?.object as { spec?: { selector?: Record<string, string> } })
        ?.spec?.selector ?? {};
    return [
      ...new Set(
        this.pods
          .filter((pod) => pod.ready && !pod.terminating)
          .filter(
            (pod) => selector[LABELS.revision] === undefined || selector[LABELS.revision] === pod.revision,
          )
          .map((pod) => pod.revision),
      ),
    ];
  }

  imageOf(revision: string | undefined): string {
    const found = [...this.deployments.values()].find(
      (one) => one.metadata.labels?.[LABELS.revision] === revision,
    );
    return found?.metadata.annotations?.[ANNOTATIONS.image] ?? "";
  }

  private carryOut(write: Write): void {
    this.version += 1;
    const identity = { uid: `u-${this.version}`, resourceVersion: String(this.version) };
    if (write.kind === "Create" || write.kind === "Update") {
      const { name } = write.object.metadata;
      const stamped = { ...write.object, metadata: { ...write.object.metadata, ...identity } };
      if (write.resource === "deployments") {
        const created = { creationTimestamp: new Date(this.nowMs).toISOString() };
        const deployment = { ...stamped, metadata: { ...stamped.metadata, ...created } };
        this.deployments.set(name, deployment as unknown as ChildObject & { spec: { replicas: number } });
      } else this.children.set(`${write.resource}/${name}`, { resource: write.resource, object: stamped });
    }
    if (write.kind === "KeepSecret") this.copies.set(write.name, write);
    if (write.kind === "Capacity") {
      const before = this.deployments.get(write.name);
      if (!before) throw new Error(`no Deployment ${write.name}`);
      const labels = { ...before.metadata.labels, ...(write.track ? { [LABELS.track]: write.track } : {}) };
      const ofTheEnd: readonly string[] = [
        ANNOTATIONS.retiredAt,
        ANNOTATIONS.outcome,
        ANNOTATIONS.outcomeReason,
      ];
      const annotations = Object.fromEntries(
        Object.entries(before.metadata.annotations ?? {}).filter(([name]) => !ofTheEnd.includes(name)),
      );
      const metadata = {
        ...before.metadata,
        labels,
        annotations: { ...annotations, ...retirement(write) },
        resourceVersion: identity.resourceVersion,
      };
      this.deployments.set(write.name, {
        ...before,
        metadata,
        spec: { ...before.spec, replicas: write.replicas },
      });
    }
    if (write.kind === "AnnotatePod") {
      this.pods = this.pods.map((pod) =>
        pod.name === write.name
          ? {
              ...pod,
              deletionCost: Number(write.annotations[ANNOTATIONS.deletionCost] ?? pod.deletionCost),
              touchedGeneration: Number(
                write.annotations[ANNOTATIONS.runtimeGeneration] ?? pod.touchedGeneration,
              ),
              touchedForSecrets: write.annotations[ANNOTATIONS.secretsChanged] ?? pod.touchedForSecrets ?? "",
            }
          : pod,
      );
    }
    if (write.kind === "Delete") {
      this.children.delete(`${write.resource}/${write.name}`);
      if (write.resource === "deployments") this.deployments.delete(write.name);
    }
  }

  /** Pods follow their Deployments; those that end are gone at the next look. */
  kubelet(): void {
    this.pods = this.pods.filter((pod) => !pod.terminating);
    for (const deployment of this.deployments.values()) {
      const revision = deployment.metadata.labels?.[LABELS.revision] ?? "";
      const own = this.pods.filter((pod) => pod.revision === revision);
      const surplus = own.length - deployment.spec.replicas;
      const doomed = new Set(
        [...own].sort((a, b) => a.deletionCost - b.deletionCost).slice(0, Math.max(0, surplus)),
      );
      this.pods = this.pods.map((pod) =>
        doomed.has(pod) ? { ...pod, terminating: true, ready: false } : pod,
      );
      for (let missing = -surplus; missing > 0; missing -= 1) this.pods.push(this.newPod(revision));
    }
    this.pods = this.pods.map((pod) => this.age(pod));
  }

  private newPod(revision: string): WorldPod {
    this.podNumber += 1;
    const base = {
      finished: false,
      restarts: 0,
      deletionCost: 0,
      touchedGeneration: 0,
      generation: undefined,
    };
    return {
      ...base,
      name: `p-${this.podNumber}`,
      uid: `pu-${this.podNumber}`,
      revision,
      createdMs: this.nowMs,
      ready: false,
      terminating: false,
    };
  }

  private age(pod: WorldPod): WorldPod {
    const behaviour = this.behaviourOf(pod.revision);
    if (behaviour.crash) {
      const waiting = { reason: "CrashLoopBackOff", message: "back-off" };
      const lastTermination = { exitCode: 1, reason: "Error", message: "boom" };
      return { ...pod, waiting, lastTermination, restarts: 3 };
    }
    const ready = !behaviour.neverReady && !pod.terminating && Math.abs(this.nowMs - pod.createdMs) >= 1000;
    return { ...pod, ready, generation: ready ? this.runtimeGeneration(pod.revision) : pod.generation };
  }

  private behaviourOf(revision: string): Behaviour {
    return this.behaviours[revision] ?? this.behaviours[this.imageOf(revision)] ?? {};
  }

  private runtimeGeneration(revision: string): number {
    const map = [...this.children.values()].find(
      (child) => child.object.metadata.name === `${this.bridge.name}-${revision}-runtime`,
    );
    const data = (map?.object as { data?: Record<string, string> } | undefined)?.data;
    return (JSON.parse(data?.["runtime.json"] ?? "{}") as { generation?: number }).generation ?? 0;
  }

  private serving(): WorldPod[] {
    const revisions = this.servicePods(this.bridge.name);
    return this.pods.filter((pod) => pod.ready && revisions.includes(pod.revision));
  }

  private readings(): PodReading[] {
    const serving = this.serving();
    const perPod = this.requestsPerSecond / Math.max(1, serving.length);
    const rate = (pod: WorldPod) => (serving.includes(pod) ? perPod : 0);
    return this.pods
      .filter((pod) => pod.ready)
      .map((pod) => ({
        pod: pod.name,
        revision: pod.revision,
        atMs: this.nowMs,
        windowMs: 0,
        stale: false,
        ...(pod.generation === undefined ? {} : { generation: pod.generation }),
        inFlight: serving.includes(pod) ? this.streams / serving.length : 0,
        inFlightRecent: serving.includes(pod) ? this.streams / serving.length : 0,
        capacity: 16,
        elu: 0.1,
        workers: 1,
        workerUtilization: 0.1,
        workerQueue: 0,
        workerWaitP95Seconds: 0,
        gcShare: 0.01,
        heapAfterMajorShare: 0.3,
        ...withSecrets(this.secrets[pod.name]),
        poolWaiting: {},
        poolSize: {},
        poolLimit: {},
        memoryBytes: this.behaviourOf(pod.revision).memoryBytes ?? 100e6,
        cpuCores: 0.1 + this.cpuPerRequest * rate(pod),
        requestsPerSecond: rate(pod),
        messagesPerSecond: 0,
      }));
  }

  private evidence(): Snapshot["evidence"] {
    const { rollout } = this.status;
    const spec = this.parsed();
    const pair = spec.ok ? comparedPair(rollout, spec.value.rollout) : undefined;
    if (!spec.ok || pair === undefined) return undefined;
    const { canary, reference: stable } = pair;
    if (this.metricsDown)
      return { kind: "Intervals", canary, reading: failing("SourceFailing", "The source is down.") };
    const { analysis } = spec.value.rollout;
    const known =
      watchedRevision(rollout) === undefined
        ? knownEvidence(this.status, this.memory, canary, spec.value.rollout, this.scrapeMs)
        : knownWatch(this.status, this.memory, canary, analysis, this.scrapeMs);
    const past = () => this.past(pastEndMs(rollout, this.nowMs));
    if (!known) return { kind: "Baseline", canary, reading: this.pastFails ?? { kind: "ok", value: past() } };
    const intervalMs = countingMs(analysis, this.scrapeMs);
    const intervals: IntervalCounts[] = [];
    const waitingFor = this.pods
      .filter((pod) => pod.ready && [canary, stable].includes(pod.revision))
      .map((pod) => pod.name)
      .filter((name) => this.unscraped.includes(name));
    const readableMs = this.nowMs;
    if (waitingFor.length > 0) {
      const value = { intervals, throughMs: known.intervalEndMs, waitingFor, readableMs };
      return { kind: "Intervals", canary, reading: { kind: "ok", value } };
    }
    for (let endMs = known.intervalEndMs + intervalMs; endMs <= this.nowMs; endMs += intervalMs) {
      const errors = { canary: this.arm(canary, intervalMs), stable: this.arm(stable, intervalMs) };
      const { missing } = this;
      intervals.push({ endMs, signals: missing.errors === undefined ? { errors } : {}, missing });
    }
    const throughMs = intervals.at(-1)?.endMs ?? known.intervalEndMs;
    return {
      kind: "Intervals",
      canary,
      reading: { kind: "ok", value: { intervals, throughMs, waitingFor, readableMs } },
    };
  }

  private arm(revision: string, intervalMs: number) {
    const serving = this.serving();
    const own = serving.filter((pod) => pod.revision === revision);
    const share = own.length / Math.max(1, serving.length);
    const requests = Math.round((this.requestsPerSecond * share * intervalMs) / 1000);
    const young = own.filter((pod) => this.nowMs - pod.createdMs < this.warmUp.forMs).length;
    const cold = (this.warmUp.errorShare * young) / Math.max(1, own.length);
    const bad = Math.round(requests * ((this.behaviourOf(revision).errorShare ?? 0) + cold));
    return { requests, bad, pods: 1 };
  }
}

const withSecrets = (secrets: PodReading["secrets"]): Pick<PodReading, "secrets"> =>
  secrets ? { secrets } : {};
