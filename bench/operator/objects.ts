import { setTimeout as delay } from "node:timers/promises";
import { COMMAND_ANNOTATION } from "../../operator/api/v1alpha1/commands.ts";
import { LLMBRIDGES } from "../../operator/bridges/caches.ts";
import type { KubeClient } from "../../operator/kube/client.ts";
import { createInformer } from "../../operator/kube/informer.ts";
import type { DesiredObject, KubeObject } from "../../operator/kube/object.ts";
import type { Resource } from "../../operator/kube/resources.ts";
import { bridgeImage, storySpec } from "../../test/faults/story.ts";
import { until } from "../../test/kube/until.ts";
import type { Bed } from "./bed.ts";

export const NAMESPACE = "bench";
const MANY_AT_ONCE = 20;
const PATIENCE_MS = 120_000;
/** An API server that is given ten thousand objects at once takes its time. */
const CREATION = { deadlineMs: 600_000 };
const LOOK_MS = 500;

/** What one contestant rolls out, and how its people speak with it. */
export interface Kind {
  readonly resource: Resource;
  object(name: string, replicas: number): DesiredObject;
  /** Gives it another version. */
  edit(client: KubeClient, name: string, version: number): Promise<unknown>;
  /** Promotes the version that is held, fully. */
  promote(bed: Bed, name: string): Promise<unknown>;
  readonly isReady: (object: KubeObject) => boolean;
  readonly isHeld: (object: KubeObject) => boolean;
  /** Whether a request of the controller is the first of its reactions to an edit of this object. */
  isReaction(
    request: { readonly resource: string; readonly name: string; readonly verb: string },
    name: string,
  ): boolean;
}

interface Bridge extends KubeObject {
  readonly metadata: KubeObject["metadata"] & { readonly generation?: number };
  readonly status?: {
    readonly phase?: string;
    readonly observedGeneration?: number;
    readonly canary?: { readonly revision?: string; readonly ready?: number };
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
  };
}

/** One step of a fifth, that a person releases. */
export const BRIDGES: Kind = {
  resource: LLMBRIDGES,
  object: (name, replicas) => ({
    apiVersion: "llmbridge.dev/v1alpha1",
    kind: "LLMBridge",
    metadata: { name, namespace: NAMESPACE },
    spec: {
      ...storySpec(bridgeImage(1)),
      replicas,
      scaling: { mode: "Fixed" },
      rollout: {
        steps: [
          { name: "first", weight: 20, hold: "1h" },
          { name: "all", weight: 100 },
        ],
        // A Rollout too is done with its promotion.
        watchAfter: "0s",
        revisionHistoryLimit: 3,
      },
    },
  }),
  edit: (client, name, version) =>
    client.mergePatch(LLMBRIDGES, NAMESPACE, name, { spec: { image: bridgeImage(version) } }),
  async promote({ client }, name) {
    const { status } = await client.get<Bridge>(LLMBRIDGES, NAMESPACE, name);
    const revision = status?.canary?.revision ?? "";
    const command = { id: `promote-${revision}`, action: "promote", revision, full: true };
    return client.mergePatch(LLMBRIDGES, NAMESPACE, name, {
      metadata: { annotations: { [COMMAND_ANNOTATION]: JSON.stringify(command) } },
    });
  },
  isReady(object) {
    const { status, metadata } = object as Bridge;
    const ready = status?.conditions?.find(({ type }) => type === "Ready")?.status === "True";
    return ready && status?.phase === "Stable" && status.observedGeneration === metadata.generation;
  },
  isHeld(object) {
    const { status } = object as Bridge;
    return status?.phase === "Holding" && (status.canary?.ready ?? 0) > 0;
  },
  isReaction: ({ resource, name, verb }, of) =>
    ["create", "patch", "update"].includes(verb) &&
    !resource.startsWith("llmbridges") &&
    resource !== "events" &&
    name.startsWith(of),
};

const ROLLOUTS: Resource = {
  group: "argoproj.io",
  version: "v1alpha1",
  plural: "rollouts",
  kind: "Rollout",
  namespaced: true,
};

interface Rollout extends KubeObject {
  readonly metadata: KubeObject["metadata"] & { readonly generation?: number };
  readonly status?: { readonly phase?: string; readonly observedGeneration?: string };
}

const container = (image: string) => ({
  name: "main",
  image,
  resources: { requests: { cpu: "1m", memory: "1Mi" } },
});

const observed = ({ status, metadata }: Rollout, phase: string): boolean =>
  status?.phase === phase && status.observedGeneration === String(metadata.generation);

export const ARGO_ROLLOUTS: Kind = {
  resource: ROLLOUTS,
  object: (name, replicas) => ({
    apiVersion: "argoproj.io/v1alpha1",
    kind: "Rollout",
    metadata: { name, namespace: NAMESPACE },
    spec: {
      replicas,
      revisionHistoryLimit: 3,
      selector: { matchLabels: { app: name } },
      strategy: { canary: { steps: [{ setWeight: 20 }, { pause: {} }, { setWeight: 100 }] } },
      template: {
        metadata: { labels: { app: name } },
        spec: { containers: [container("example.test/app:1")] },
      },
    },
  }),
  edit: (client, name, version) =>
    client.mergePatch(ROLLOUTS, NAMESPACE, name, {
      spec: { template: { spec: { containers: [container(`example.test/app:${version}`)] } } },
    }),
  // As `kubectl argo rollouts promote` does it.
  promote: ({ api }, name) =>
    api.request(
      "PATCH",
      `/apis/argoproj.io/v1alpha1/namespaces/${NAMESPACE}/rollouts/${name}/status`,
      { status: { pauseConditions: null } },
      "application/merge-patch+json",
    ),
  isReady: (object) => observed(object as Rollout, "Healthy"),
  isHeld: (object) => observed(object as Rollout, "Paused"),
  isReaction: ({ resource, name, verb }, of) =>
    resource === "replicasets" && verb === "create" && name.startsWith(of),
};

/** Names of one kind, numbered from 0: `many-00007`. */
export const nameOf = (index: number, stem = "many"): string => `${stem}-${String(index).padStart(5, "0")}`;

/** Creates so many, some at a time; begins no more once the signal has come. */
export async function createMany(
  client: KubeClient,
  kind: Kind,
  count: number,
  replicas: number,
  { stem, signal }: { readonly stem?: string; readonly signal?: AbortSignal } = {},
): Promise<void> {
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < count && !signal?.aborted)
      await client.create(kind.resource, kind.object(nameOf(next++, stem), replicas), CREATION);
  };
  await Promise.all(Array.from({ length: MANY_AT_ONCE }, work));
}

/**
 * Waits until so many of the kind are ready.
 * @throws Error when they are not in time
 */
export async function allReady(
  client: KubeClient,
  kind: Kind,
  count: number,
  withinMs: number,
): Promise<void> {
  const ready = await readyUntil(client, kind, count, AbortSignal.timeout(withinMs));
  if (ready < count)
    throw new Error(`${ready} of ${count} ${kind.resource.plural} are ready after ${withinMs / 1_000} s`);
}

/**
 * Waits until so many of the kind are ready or the signal has come, by a watch: lists of all of them would be most of what the API server does.
 * @returns how many are ready then
 */
export async function readyUntil(
  client: KubeClient,
  kind: Kind,
  count: number,
  signal: AbortSignal,
  stem = "many",
): Promise<number> {
  const stop = new AbortController();
  const informer = createInformer<KubeObject>({ client, resource: kind.resource, namespace: NAMESPACE });
  const watching = informer.start(stop.signal);
  const isAsked = ({ metadata }: KubeObject) => metadata.name.startsWith(`${stem}-`);
  const ready = () => informer.store.list().filter((one) => isAsked(one) && kind.isReady(one)).length;
  try {
    await informer.synced();
    while (ready() < count && !signal.aborted) await delay(LOOK_MS);
    return ready();
  } finally {
    stop.abort();
    await watching;
  }
}

/** Waits for a state of one object; the error tells the state it was in. */
export async function untilOne(
  client: KubeClient,
  kind: Kind,
  name: string,
  what: string,
  is: (object: KubeObject) => boolean,
): Promise<void> {
  let last: KubeObject | undefined;
  try {
    await until(
      what,
      async () => {
        last = await client.get(kind.resource, NAMESPACE, name);
        return is(last);
      },
      PATIENCE_MS,
    );
  } catch (cause) {
    const status = JSON.stringify((last as { status?: unknown } | undefined)?.status)?.slice(0, 2_000);
    throw new Error(`${kind.resource.kind} ${name} is not ${what}: ${status}`, { cause });
  }
}
