import { type BridgeConfig, CONFIG_VERSION, type RuntimeConfig } from "../../../contract/config.ts";
import { quantityBytes } from "../../api/v1alpha1/scalars.ts";
import { isBaseline, templateOf } from "../../rollout/baseline.ts";
import { drainTimes } from "../../tuning/drain.ts";
import { httpConnections } from "../../tuning/pools.ts";
import type { KeepSecretWrite } from "../apply.ts";
import { baselineDeployment } from "../desired/baseline.ts";
import { bridgeConfigFile } from "../desired/config.ts";
import { keptConfigMap, revisionConfigMap, runtimeConfigMap } from "../desired/configmaps.ts";
import { deployment } from "../desired/template.ts";
import type { DesiredRevision, DesiredState } from "../difference.ts";
import { endingOf } from "../ending.ts";
import { ANNOTATIONS, ownerReference, revisionName } from "../names.ts";
import type { StoredContents } from "../observe/stored-revision.ts";
import type { ObservedChild } from "../observed-children.ts";
import type { ChildObject } from "../plan.ts";
import { HASH_ALGORITHM } from "../revision.ts";
import { revisionSpec } from "../revision-spec.ts";
import type { Snapshot } from "../snapshot.ts";
import type { ChildrenInput, RuntimeGrant } from "./children-input.ts";
import { contentsOf, missingCopies } from "./kept-content.ts";
import { nextRuntime, type StoredRevision } from "./runtime.ts";

/**
 * Age at which HTTP connections are asked to reconnect. Always in force, not only in a rollout: a ClusterIP balances connections,
 * so the share of a new pod grows at this pace, and one reconnect in 15 s costs a client nothing.
 */
export const CONNECTION_AGE_MS = 15_000;
/** WebSockets are asked more seldom: an agent has state to take along. */
export const AGENT_CONNECTION_AGE_MS = 15 * 60_000;

export interface RevisionParts {
  readonly desired: DesiredRevision;
  readonly configMaps: readonly ObservedChild[];
  /** Copies of Secrets that are yet to be made, once the ConfigMaps are there. */
  readonly secrets: readonly KeepSecretWrite[];
  readonly touches: DesiredState["podAnnotations"];
}

/** The Deployment of a revision and its ConfigMaps, as they should be now. */
export function revisionParts(input: ChildrenInput, revision: string): RevisionParts {
  const { snapshot, outcome, replicas } = input;
  const { bridge } = snapshot;
  const stored = input.stored.get(revision);
  const rendered = renderedOf(input, revision, stored);
  // It retires with its pods: one write, after the one that stores who is stable.
  const track = isBaseline(revision)
    ? "baseline"
    : outcome.tracks && (outcome.tracks[revision] ?? ((replicas[revision] ?? 0) > 0 ? undefined : "retired"));
  const desired: DesiredRevision = {
    revision,
    name: revisionName(bridge.name, revision),
    replicas: replicas[revision] ?? 0,
    track,
    ending: track === "retired" ? ending(input, revision) : undefined,
    rendered: rendered?.deployment,
  };
  const grant = input.grants[revision];
  if (!rendered || !grant) return { desired, configMaps: [], secrets: [], touches: [] };
  const { runtime, changed } = nextRuntime(stored?.runtime, withGrant(rendered.runtime, grant));
  const annotations = { [ANNOTATIONS.poolCeiling]: String(grant.postgresCeiling) };
  const hot = withAnnotations(runtimeConfigMap(bridge, revision, runtime), annotations);
  const fixed = revisionConfigMap(bridge, revision, rendered.config, rendered.deployment, rendered);
  const isDesired = revision === input.desiredRevision;
  const copies = isDesired
    ? input.kept.configMaps.filter(({ found }) => found).map((kept) => keptConfigMap(bridge, revision, kept))
    : [];
  return {
    desired,
    configMaps: [...copies, fixed, hot].map((object) => ({ resource: "configmaps", object })),
    secrets: isDesired && desired.replicas > 0 ? missingCopies(input, revision, rendered.contents) : [],
    touches: stored?.runtime ? touches(snapshot, revision, runtime.generation, changed) : [],
  };
}

/** Of what this pass decides too: it may be what ended it. */
const ending = ({ outcome, snapshot: { status } }: ChildrenInput, revision: string) =>
  endingOf(revision, outcome.state ?? status.rollout, [
    ...outcome.decisions.toReversed(),
    ...status.decisions,
  ]);

interface Rendered {
  readonly config: BridgeConfig;
  readonly deployment: ChildObject;
  readonly runtime: Omit<RuntimeConfig, "generation">;
  readonly spec: object | undefined;
  readonly contents: StoredContents | undefined;
}

/** A revision that exists is taken from its ConfigMap, whatever this version of the operator would render. */
function fromStore(stored: StoredRevision | undefined): Rendered | undefined {
  if (!stored?.config || !stored.rendered || !stored.runtime) return undefined;
  const { config, rendered, runtime, spec, contents } = stored;
  return { config, deployment: rendered, runtime, spec, contents };
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
    contents: undefined,
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
  const contents = stored?.contents ?? contentsOf(input, revision);
  const copies = contents?.copies ?? {};
  const config =
    stored?.config ??
    bridgeConfigFile({
      bridge: bridge.name,
      namespace: bridge.namespace,
      revision,
      spec,
      workerCap: tuning.workerCap,
      workerHeapMiB: tuning.workerHeapMiB,
      copies,
    });
  const drain = drainTimes({
    upstreams: config.upstreams.map((one) => one.timeouts),
    requestMs: config.limits.requestMs,
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
        kept: input.kept.configMaps,
        copies,
        env: tuning.env,
        terminationGracePeriodSeconds: drain.terminationGracePeriodSeconds,
        owner: ownerReference(bridge),
        rendererVersion: snapshot.rendererVersion,
        hashAlgorithm: HASH_ALGORITHM,
      }),
    spec: stored?.spec ?? revisionSpec(spec),
    contents,
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
