import { type BridgeConfig, CONFIG_VERSION, type RuntimeConfig } from "../../../contract/config.ts";
import { LABELS } from "../../../contract/kubernetes.ts";
import { quantityBytes } from "../../api/v1alpha1/scalars.ts";
import type { LLMBridgeSpec } from "../../api/v1alpha1/spec.ts";
import { isBaseline, templateOf } from "../../rollout/baseline.ts";
import type { RolloutOutcome } from "../../rollout/types.ts";
import { drainTimes } from "../../tuning/drain.ts";
import { httpConnections } from "../../tuning/pools.ts";
import type { TuningResult } from "../../tuning/tune.ts";
import { baselineDeployment } from "../desired/baseline.ts";
import { bridgeConfigFile, REQUEST_LIMIT_MS } from "../desired/config.ts";
import { keptConfigMap, revisionConfigMap, runtimeConfigMap } from "../desired/configmaps.ts";
import { networkPolicy, podDisruptionBudget, service, serviceAccount } from "../desired/fixed.ts";
import { deployment } from "../desired/template.ts";
import type { DesiredRevision, DesiredState, ObservedChild, ObservedDeployment } from "../difference.ts";
import {
  ANNOTATIONS,
  canaryService,
  ownerReference,
  productionService,
  revisionName,
  runtimeName,
} from "../names.ts";
import type { ChildKind, ChildObject } from "../plan.ts";
import type { KeptConfigMap } from "../references.ts";
import { HASH_ALGORITHM } from "../revision.ts";
import { revisionSpec } from "../revision-spec.ts";
import type { Snapshot } from "../snapshot.ts";
import { TAKEN_OVER } from "../take-over/observed.ts";
import type { TakeOverView } from "../take-over/view.ts";
import { takeOverWrites } from "../take-over/writes.ts";
import { nextRuntime, type StoredRevision } from "./runtime.ts";

/** Selects no pod: what the canary's Service selects while there is no canary. */
const NO_REVISION = "none";

/**
 * Age at which HTTP connections are asked to reconnect. Always in force, not only in a rollout: a ClusterIP balances connections,
 * so the share of a new pod grows at this pace, and one reconnect in 15 s costs a client nothing.
 */
export const CONNECTION_AGE_MS = 15_000;
/** WebSockets are asked more seldom: an agent has state to take along. */
export const AGENT_CONNECTION_AGE_MS = 15 * 60_000;

/** Hot numbers of a revision that the operator grants. */
export interface RuntimeGrant {
  readonly postgresConnections: number;
  readonly redisConnections: number;
  readonly workers: number;
  readonly postgresCeiling: number;
}

export interface ChildrenInput {
  readonly snapshot: Snapshot;
  readonly spec: LLMBridgeSpec | undefined;
  readonly tuning: TuningResult | undefined;
  /** Hash of the present spec, if that is what should run. */
  readonly desiredRevision: string | undefined;
  /** ConfigMaps that the desired revision keeps a copy of. */
  readonly kept: readonly KeptConfigMap[];
  readonly stored: ReadonlyMap<string, StoredRevision>;
  readonly outcome: RolloutOutcome;
  /** Replicas after the backends' budgets had their say. */
  readonly replicas: Readonly<Record<string, number>>;
  readonly grants: Readonly<Record<string, RuntimeGrant>>;
  readonly historyLimit: number;
  readonly route: DesiredState["route"];
  readonly takeOver: TakeOverView | undefined;
  /** Pods to be touched for another reason than a new generation of their own. */
  readonly touches: DesiredState["podAnnotations"];
}

/** Every child as it should be now. */
export function desiredChildren(input: ChildrenInput): DesiredState {
  const { snapshot, outcome } = input;
  const { bridge } = snapshot;
  const own = Object.keys(input.replicas).filter((revision) => revision !== TAKEN_OVER);
  const parts = own.map((revision) => revisionParts(input, revision));
  const others = input.takeOver ? [TAKEN_OVER] : [];
  const surplus = surplusRevisions(input);
  return {
    supporting: [
      { resource: "serviceaccounts", object: serviceAccount(bridge) },
      { resource: "poddisruptionbudgets", object: podDisruptionBudget(bridge, others) },
      { resource: "networkpolicies", object: networkPolicy(bridge, others) },
      ...parts.filter((part) => !surplus.includes(part.desired.revision)).flatMap((part) => part.configMaps),
    ],
    services: services(input),
    takeOver: takeOverWrites({
      ...{ bridge, outcome, view: input.takeOver },
      replicas: input.replicas[TAKEN_OVER],
    }),
    route: input.route,
    revisions: parts.map((part) => part.desired),
    podAnnotations: [...parts.flatMap((part) => part.touches), ...input.touches],
    evictions: evictions(input),
    surplus: surplus.flatMap((revision) => childrenOf(snapshot, revision)),
  };
}

function services({ snapshot: { bridge }, outcome, takeOver }: ChildrenInput): DesiredState["services"] {
  if (!outcome.services) return [];
  const { main, stable, canary } = outcome.services;
  const names = [bridge.name, productionService(bridge.name), canaryService(bridge.name)] as const;
  const targets = [main, stable, canary];
  // Old pods name their ports as they like.
  const ports = takeOver?.stage === "Serving" ? "Numbered" : "Named";
  return (
    names
      .map((name, index) => service(bridge, name, orNone(targets[index] ?? []), ports))
      // A Service that is taken over stands for the bridge's own of that name.
      .filter(({ metadata }) => !takeOver?.names.services.includes(metadata.name))
  );
}

const orNone = (revisions: readonly string[]) => (revisions.length === 0 ? [NO_REVISION] : revisions);

interface RevisionParts {
  readonly desired: DesiredRevision;
  readonly configMaps: readonly ObservedChild[];
  readonly touches: DesiredState["podAnnotations"];
}

function revisionParts(input: ChildrenInput, revision: string): RevisionParts {
  const { snapshot, outcome, replicas } = input;
  const { bridge } = snapshot;
  const stored = input.stored.get(revision);
  const rendered = renderedOf(input, revision, stored);
  const desired: DesiredRevision = {
    revision,
    name: revisionName(bridge.name, revision),
    replicas: replicas[revision] ?? 0,
    // It retires with its pods: one write, after the one that stores who is stable.
    track: isBaseline(revision)
      ? "baseline"
      : outcome.tracks &&
        (outcome.tracks[revision] ?? ((replicas[revision] ?? 0) > 0 ? undefined : "retired")),
    rendered: rendered?.deployment,
  };
  const grant = input.grants[revision];
  if (!rendered || !grant) return { desired, configMaps: [], touches: [] };
  const { runtime, changed } = nextRuntime(stored?.runtime, withGrant(rendered.runtime, grant));
  const annotations = { [ANNOTATIONS.poolCeiling]: String(grant.postgresCeiling) };
  const hot = withAnnotations(runtimeConfigMap(bridge, revision, runtime), annotations);
  const fixed = revisionConfigMap(bridge, revision, rendered.config, rendered.deployment, rendered.spec);
  const copies =
    revision === input.desiredRevision
      ? input.kept.filter(({ found }) => found).map((kept) => keptConfigMap(bridge, revision, kept))
      : [];
  return {
    desired,
    configMaps: [...copies, fixed, hot].map((object) => ({ resource: "configmaps", object })),
    touches: stored?.runtime ? touches(snapshot, revision, runtime.generation, changed) : [],
  };
}

interface Rendered {
  readonly config: BridgeConfig;
  readonly deployment: ChildObject;
  readonly runtime: Omit<RuntimeConfig, "generation">;
  readonly spec: object | undefined;
}

/** A revision that exists is taken from its ConfigMap, whatever this version of the operator would render. */
function fromStore(stored: StoredRevision | undefined): Rendered | undefined {
  if (!stored?.config || !stored.rendered || !stored.runtime) return undefined;
  const { config, rendered, runtime, spec } = stored;
  return { config, deployment: rendered, runtime, spec };
}

function renderedOf(
  input: ChildrenInput,
  revision: string,
  stored: StoredRevision | undefined,
): Rendered | undefined {
  if (revision === input.desiredRevision) return render(input, revision, stored);
  const before = fromStore(stored);
  return before || !isBaseline(revision) ? before : baseline(input, revision);
}

/** A baseline is the stable version under another name; its files say the same but for that. */
function baseline({ stored, snapshot, replicas }: ChildrenInput, revision: string): Rendered | undefined {
  const stable = templateOf(revision);
  const template = fromStore(stored.get(stable));
  if (!template || (replicas[revision] ?? 0) === 0) return undefined;
  const names = { bridge: snapshot.bridge.name, stable, baseline: revision };
  return {
    config: { ...template.config, revision },
    deployment: baselineDeployment(template.deployment, names),
    runtime: template.runtime,
    spec: undefined,
  };
}

function render(
  input: ChildrenInput,
  revision: string,
  stored: StoredRevision | undefined,
): Rendered | undefined {
  const { spec, tuning, snapshot } = input;
  const before = fromStore(stored);
  if (!spec || !tuning || before) return before;
  const { bridge } = snapshot;
  const config =
    stored?.config ??
    bridgeConfigFile({
      bridge: bridge.name,
      namespace: bridge.namespace,
      revision,
      spec,
      workerCap: tuning.workerCap,
      workerHeapMiB: tuning.workerHeapMiB,
    });
  const drain = drainTimes({
    upstreams: config.upstreams.map((one) => one.timeouts),
    requestMs: REQUEST_LIMIT_MS,
  });
  return {
    config,
    deployment:
      stored?.rendered ??
      deployment({
        bridge: bridge.name,
        namespace: bridge.namespace,
        revision,
        spec,
        kept: input.kept,
        env: tuning.env,
        terminationGracePeriodSeconds: drain.terminationGracePeriodSeconds,
        owner: ownerReference(bridge),
        rendererVersion: snapshot.rendererVersion,
        hashAlgorithm: HASH_ALGORITHM,
      }),
    spec: stored?.spec ?? revisionSpec(spec),
    runtime: {
      version: CONFIG_VERSION,
      postgresConnections: 0,
      redisConnections: 0,
      httpConnections: httpConnections(spec.upstreams),
      idleHttpConnections: spec.pools.http.idleConnections,
      workers: Math.min(spec.workers.min, tuning.workerCap),
      cacheBytes: quantityBytes(spec.cache.memory.maxBytes),
      maxConnectionAgeMs: CONNECTION_AGE_MS,
      maxAgentConnectionAgeMs: AGENT_CONNECTION_AGE_MS,
      drain: { settleMs: drain.settleMs, deadlineMs: drain.deadlineMs },
    },
  };
}

function withGrant(
  runtime: Omit<RuntimeConfig, "generation">,
  grant: RuntimeGrant,
): Omit<RuntimeConfig, "generation"> {
  const { postgresConnections, redisConnections, workers } = grant;
  return { ...runtime, postgresConnections, redisConnections, workers };
}

function withAnnotations<T extends ChildObject>(object: T, annotations: Record<string, string>): T {
  return { ...object, metadata: { ...object.metadata, annotations } };
}

/** Pods that run an older generation get an annotation, which makes kubelet refresh their files at once instead of in a minute. */
function touches(
  snapshot: Snapshot,
  revision: string,
  generation: number,
  changed: boolean,
): DesiredState["podAnnotations"] {
  const readings = snapshot.fleet.kind === "ok" ? snapshot.fleet.value : [];
  return snapshot.pods
    .filter((pod) => pod.revision === revision && !pod.finished && pod.touchedGeneration < generation)
    .filter((pod) => {
      const running = readings.find((reading) => reading.pod === pod.name)?.generation;
      return changed || (running !== undefined && running < generation);
    })
    .map(({ name, uid }) => ({
      name,
      uid,
      annotations: { [ANNOTATIONS.runtimeGeneration]: String(generation) },
    }));
}

/** Those that are not ready serve nobody and go first; then the oldest. The same choice until the cache shows them ending. */
function evictions({ snapshot, outcome }: ChildrenInput): DesiredState["evictions"] {
  if (!outcome.evictions) return [];
  const { before, count } = outcome.evictions;
  return snapshot.pods
    .filter((pod) => pod.revision === outcome.state?.stableRevision && !pod.terminating && !pod.finished)
    .filter((pod) => pod.createdMs < Date.parse(before))
    .sort(
      (a, b) => Number(a.ready) - Number(b.ready) || a.createdMs - b.createdMs || (a.name < b.name ? -1 : 1),
    )
    .slice(0, count)
    .map(({ name, uid }) => ({ name, uid }));
}

/** Old revisions beyond the history limit that hold no pod any more, oldest first; and baselines, which are no history. */
function surplusRevisions(input: ChildrenInput): string[] {
  const { snapshot, outcome, replicas } = input;
  if (!outcome.tracks) return [];
  const live = new Set([...Object.keys(outcome.tracks), input.desiredRevision]);
  const isIdle = (revision: string) =>
    (replicas[revision] ?? 0) === 0 &&
    snapshot.deployments.every((one) => one.revision !== revision || one.replicas === 0) &&
    !snapshot.pods.some((pod) => pod.revision === revision && !pod.finished);
  const old = snapshot.deployments
    .filter(({ revision }) => revision !== TAKEN_OVER && !isBaseline(revision))
    .filter(({ revision }) => !live.has(revision) && isIdle(revision))
    .sort((a, b) => lastUseMs(b) - lastUseMs(a));
  // Their ConfigMaps too, should the Deployment have gone alone.
  const baselines = [...snapshot.deployments, ...input.stored.values()].map(({ revision }) => revision);
  return [
    ...new Set(baselines.filter((revision) => isBaseline(revision) && isIdle(revision))),
    ...old.slice(input.historyLimit).map(({ revision }) => revision),
  ];
}

/** A revision that was gone back to is older than its use. Where nobody noted when it was retired, its making is all that is known. */
const lastUseMs = ({ retiredAt, createdMs }: ObservedDeployment): number =>
  Date.parse(retiredAt ?? "") || createdMs;

function childrenOf(snapshot: Snapshot, revision: string) {
  const bridge = snapshot.bridge.name;
  const deployments = snapshot.deployments
    .filter((one) => one.revision === revision)
    .map(({ name, uid, resourceVersion }) => ({
      resource: "deployments" as ChildKind,
      name,
      uid,
      resourceVersion,
    }));
  const names = [revisionName(bridge, revision), runtimeName(bridge, revision)];
  const isOwn = ({ metadata: { name, labels } }: ChildObject) =>
    names.includes(name) || labels?.[LABELS.revision] === revision;
  const configMaps = snapshot.children
    .filter((child) => child.resource === "configmaps" && isOwn(child.object))
    .map((child) => ({
      resource: child.resource,
      name: child.object.metadata.name,
      uid: child.object.metadata.uid ?? "",
      resourceVersion: child.object.metadata.resourceVersion ?? "",
    }));
  return [...deployments, ...configMaps];
}
