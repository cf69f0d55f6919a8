import { LABELS } from "../../contract/kubernetes.ts";
import type { LLMBridgeSpecInput } from "../../operator/api/v1alpha1/spec.ts";
import type { LLMBridgeStatus } from "../../operator/api/v1alpha1/status.ts";
import { parseSpec } from "../../operator/bridges/observe.ts";
import { configMapsFor, keptConfigMaps } from "../../operator/bridges/references.ts";
import { contentMarks, revisionHash } from "../../operator/bridges/revision.ts";
import type { KubeObject } from "../../operator/kube/object.ts";
import { resources } from "../../operator/kube/resources.ts";
import type { Bridge } from "../scene/api.ts";
import type { Stage } from "./bed.ts";
import { UID } from "./outcome.ts";
import type { ProxiedRequest } from "./proxy.ts";

/** One bridge that a person leads from spec to spec: each rollout is released, and the next edit waits until the operator has nothing left to do. */
export interface Walk {
  readonly bridge: Bridge;
  /** Applies a spec as `kubectl apply --server-side` does, and waits only until the operator has seen it. */
  set(spec: LLMBridgeSpecInput): Promise<void>;
  /** Waits until the revision of the present spec is held at its first step. */
  holding(): Promise<void>;
  /** Orders the rollout of the present spec to its end, and does not wait for it. */
  promote(): Promise<void>;
  /** Releases the rollout of the present spec, where it has one. Ends when the operator is at rest. */
  rest(): Promise<Rest>;
  /** Identities of the living pods, by revision. */
  pods(): Promise<Readonly<Record<string, readonly string[]>>>;
  /** Every write that the operator made for this bridge. */
  writes(): readonly ProxiedRequest[];
  /** Deletes the bridge. */
  leave(): Promise<void>;
}

/** What is there when the operator has nothing left to do. */
export interface Rest {
  readonly status: LLMBridgeStatus;
  /** All that serves, without what tells the way that led there: equal for every way to one spec. */
  readonly serves: unknown;
}

const PATIENCE_MS = 60_000;
/** Pairs of edits that may meet something that was still under way, before the operator counts as one that never rests. */
const TRIES = 5;

/** The revision that a spec asks for. */
export function revisionOf(spec: LLMBridgeSpecInput): string {
  const parsed = parseSpec("walked", spec);
  if (!parsed.ok) throw new Error(`the spec is wrong: ${JSON.stringify(parsed.issues)}`);
  const configMaps = keptConfigMaps(parsed.value, configMapsFor(parsed)) ?? [];
  return revisionHash(parsed.value, contentMarks({ configMaps, secrets: [] }));
}

/** Leads the bridge of this name; the first `set` makes it. */
export function walk(stage: Stage, name: string): Walk {
  const { bridge, command } = stage.actor(name);
  let present: LLMBridgeSpecInput | undefined;
  let commands = 0;

  const asked = (): LLMBridgeSpecInput => {
    if (present === undefined) throw new Error("no spec was set");
    return present;
  };
  const seen = async (what: string, wanted: (status: LLMBridgeStatus) => boolean) => {
    const generation = (await bridge.get())?.metadata.generation ?? 0;
    const isSeen = ({ observedGeneration = 0 }: LLMBridgeStatus) => observedGeneration >= generation;
    return bridge.waitFor(what, (status) => isSeen(status) && wanted(status), PATIENCE_MS);
  };
  const set: Walk["set"] = async (spec) => {
    present = spec;
    await bridge.apply(spec);
    await seen("seen", () => true);
  };
  const isStable = ({ phase, stable }: LLMBridgeStatus) =>
    phase === "Stable" && stable?.revision === revisionOf(asked());
  const isHeld = ({ phase, canary }: LLMBridgeStatus) =>
    phase === "Holding" && canary?.revision === revisionOf(asked());
  const promote = async (): Promise<void> => {
    await command({ action: "promote", revision: revisionOf(asked()), full: true, id: `walk-${commands++}` });
  };
  const release = async (): Promise<void> => {
    const revision = revisionOf(asked());
    if (isStable(await seen(`held or stable with ${revision}`, (one) => isStable(one) || isHeld(one))))
      return;
    await promote();
    await seen(`stable with ${revision}`, isStable);
  };
  const writes = () =>
    stage.writes().filter((write) => write.name === name || write.name.startsWith(`${name}-`));
  /**
   * An edit that says nothing new makes the operator look at everything that is there and, where nothing is left to do, write once:
   * that it has seen it. Made and taken back, so that what follows the first is counted too.
   */
  const untilAtRest = async (): Promise<LLMBridgeStatus> => {
    let found: readonly string[] = [];
    for (let tries = 0; tries < TRIES; tries++) {
      const [spec, before] = [asked(), writes().length];
      await set(reworded(spec));
      await set(spec);
      found = writes()
        .slice(before)
        .map(({ verb, resource }) => `${verb} ${resource}`);
      if (found.join() === "patch llmbridges/status,patch llmbridges/status") return bridge.status();
    }
    throw new Error(`two edits that say nothing new make the operator write, again and again: ${found}`);
  };
  const livingPods = async (): Promise<readonly KubeObject[]> =>
    (await stage.list(resources.pods)).filter(
      ({ metadata: { labels, deletionTimestamp } }) =>
        labels?.[LABELS.bridge] === name && deletionTimestamp === undefined,
    );
  const pods: Walk["pods"] = async () => {
    const living = await livingPods();
    const byRevision = Object.groupBy(living, ({ metadata }) => metadata.labels?.[LABELS.revision] ?? "");
    return Object.fromEntries(
      Object.entries(byRevision).map(([revision, list = []]) => [
        revision,
        list.map(({ metadata }) => metadata.uid),
      ]),
    );
  };
  return {
    bridge,
    set,
    async holding() {
      await seen(`holding ${revisionOf(asked())}`, isHeld);
    },
    promote,
    async rest() {
      await release();
      const status = await untilAtRest();
      const children = await stage.children(name);
      const counts = Object.entries(await pods()).map(([revision, { length }]) => [revision, length]);
      const serves = {
        children: ofStable(children, status),
        pods: Object.fromEntries(counts),
        says: says(status),
      };
      return { status, serves: withStandardNames(serves, stage.namespace, name) };
    },
    pods,
    writes,
    leave: () => bridge.delete(),
  };
}

/** The same spec with its budget written in another way. */
function reworded(spec: LLMBridgeSpecInput): LLMBridgeSpecInput {
  return { ...spec, budget: { ...spec.budget, cpu: `${spec.budget?.cpu}000m` } };
}

/** Without the revisions that are kept as history. */
function ofStable(children: Readonly<Record<string, unknown>>, { stable }: LLMBridgeStatus): object {
  const ofRevision = /-([0-9a-f]{10})(-runtime|-config-\d+)?$/;
  return Object.fromEntries(
    Object.entries(children).filter(
      ([name]) => (ofRevision.exec(name)?.[1] ?? stable?.revision) === stable?.revision,
    ),
  );
}

function says({ phase, stable, canary, replicas, tuning, budgets, conditions }: LLMBridgeStatus): object {
  const told = conditions.map(({ type, status, reason }) => `${type}=${status} ${reason}`).sort();
  return { phase, stable, canary, replicas, tuning, budgets, conditions: told };
}

function withStandardNames(value: unknown, namespace: string, name: string): unknown {
  const text = JSON.stringify(value)
    .replaceAll(namespace, "NAMESPACE")
    .replaceAll(UID, "UID")
    .replaceAll(new RegExp(`\\b${name}\\b`, "g"), "BRIDGE")
    // Counts how often the file was written.
    .replaceAll(/(generation\\*":) ?\d+/g, "$1N");
  return JSON.parse(text);
}
