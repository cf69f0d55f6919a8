import { LABELS } from "../../contract/kubernetes.ts";
import { type LLMBridgeStatus, llmBridgeStatus } from "../../operator/api/v1alpha1/status.ts";
import { LLMBRIDGES } from "../../operator/bridges/caches.ts";
import { KEPT_DECISIONS } from "../../operator/bridges/decide/status.ts";
import { ANNOTATIONS } from "../../operator/bridges/names.ts";
import type { KubeClient } from "../../operator/kube/client.ts";
import type { KubeObject } from "../../operator/kube/object.ts";
import { type Resource, resources } from "../../operator/kube/resources.ts";
import { CHILD_KINDS } from "../scene/children.ts";
import { isOwnWrite, type ProxiedRequest } from "./proxy.ts";

/** What a story came to: equal for two runs that did the same, whatever happened to the operator on the way. */
export interface Outcome {
  /** Every child with what it says, by `Kind name`. */
  readonly children: Readonly<Record<string, unknown>>;
  /** What status says of the rollout, without times. */
  readonly status: unknown;
  /** Each decision that was told, oldest first. What was waited for is left out: whoever is shown another moment may wait for another thing. */
  readonly decisions: readonly string[];
  /** Whether older ones may have made room for what was waited for: status keeps only so many. */
  readonly hasOlderDecisions: boolean;
  /** How often each child was created and deleted. */
  readonly created: Readonly<Record<string, number>>;
  readonly deleted: Readonly<Record<string, number>>;
}

/** Reads the outcome in a namespace of which nothing else is known to the operator. */
export async function outcomeOf(
  client: KubeClient,
  namespace: string,
  requests: readonly ProxiedRequest[],
  also: readonly Resource[] = [],
): Promise<Outcome> {
  const bridge = await client.get<KubeObject & { status?: unknown }>(LLMBRIDGES, namespace, "told");
  const status = llmBridgeStatus.parse(bridge.status ?? {});
  const writes = requests.filter((request) => isOwnWrite(request) && isOfChild(request));
  const created = writes.filter(({ serverCode }) => serverCode === 201);
  const outcome: Outcome = {
    children: await childrenOf(client, namespace, "told", also),
    status: statusSays(status),
    decisions: status.decisions
      .filter(({ action }) => action !== "Hold")
      .map(({ action, reason, message }) => `${action} ${reason}: ${message}`)
      .reverse(),
    hasOlderDecisions: status.decisions.length >= KEPT_DECISIONS,
    created: counted(created),
    deleted: counted(writes.filter(({ verb, carriedOut }) => verb === "delete" && carriedOut)),
  };
  return JSON.parse(withStandardNames(JSON.stringify(outcome), namespace, revisionsOf(created))) as Outcome;
}

/**
 * What each child of a bridge says, by `Kind name`.
 * @param also kinds of children beside those of every bridge
 */
export async function childrenOf(
  client: KubeClient,
  namespace: string,
  bridge: string,
  also: readonly Resource[] = [],
): Promise<Readonly<Record<string, unknown>>> {
  const lists = await Promise.all(
    [...CHILD_KINDS, resources.secrets, ...also].map(async (kind) => {
      const labelSelector = `${LABELS.bridge}=${bridge}`;
      const objects = await client.list<KubeObject>(kind, { namespace, labelSelector });
      // Pods are named by chance; how many of which revision there are is told by their Deployments.
      return kind.kind === "Pod"
        ? []
        : objects.map((object) => [`${kind.kind} ${object.metadata.name}`, said(object)] as const);
    }),
  );
  return Object.fromEntries(lists.flat().sort(([a], [b]) => (a < b ? -1 : 1)));
}

const isOfChild = ({ resource }: ProxiedRequest): boolean => !resource.startsWith("llmbridges");

function counted(requests: readonly ProxiedRequest[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { resource, name } of requests) {
    const key = `${resource} ${name}`;
    counts[key] = (counts[key] ?? 0) + 1;
  }
  return Object.fromEntries(Object.entries(counts).sort());
}

/** When a revision ended, and in whose words: a pod's name is in them. What became of it must be the same. */
const OF_THE_MOMENT: readonly string[] = [ANNOTATIONS.retiredAt, ANNOTATIONS.outcomeReason];

/** What an object says that is not given by the server or by time. */
function said(object: KubeObject): unknown {
  const { metadata, status: _, ...rest } = object as KubeObject & { status?: unknown };
  const { labels, annotations, ownerReferences } = metadata as KubeObject["metadata"] & {
    ownerReferences?: readonly { kind: string; name: string }[];
  };
  const kept = Object.entries(annotations ?? {}).filter(
    ([name]) => !name.startsWith("deployment.kubernetes.io/") && !OF_THE_MOMENT.includes(name),
  );
  return withoutAddresses({
    ...rest,
    metadata: {
      labels,
      annotations: Object.fromEntries(kept),
      owners: ownerReferences?.map(({ kind, name }) => `${kind} ${name}`),
    },
  });
}

const GIVEN = new Set([
  "clusterIP",
  "clusterIPs",
  "nodePort",
  "healthCheckNodePort",
  "uid",
  "resourceVersion",
]);

function withoutAddresses(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutAddresses);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => !GIVEN.has(key))
      .map(([key, inner]) => [key, withoutAddresses(inner)]),
  );
}

function statusSays({ phase, summary, stable, canary, rollout, conditions }: LLMBridgeStatus): unknown {
  const failed = rollout?.failed && { revision: rollout.failed.revision, reason: rollout.failed.reason };
  return {
    phase,
    summary,
    stable: stable && { revision: stable.revision, image: stable.image, ready: stable.ready },
    canary,
    failed,
    conditions: conditions.map(({ type, status, reason }) => `${type}=${status} ${reason}`).sort(),
  };
}

/** Copies of Secrets are named by the time of their making, and what they hold is told apart under a key that each operator makes. */
const MAKING = /(-secret-\d+)-[0-9a-z]+/g;
const FINGERPRINT = /\b[0-9a-f]{32}\b/g;
/** What the API server calls an object that is made once more. */
export const UID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;

/** The namespace is another in each run; names of revisions are hashes over what was rendered, and tell of it and of fingerprints too. */
function withStandardNames(text: string, namespace: string, revisions: readonly string[]): string {
  const [inOneNamespace, numbered] = [text.replaceAll(namespace, "NAMESPACE"), revisions.entries()];
  return (
    [...numbered]
      .reduce((named, [index, revision]) => named.replaceAll(revision, `REVISION${index}`), inOneNamespace)
      // A rendered Deployment is kept as text, with its owner's uid in it.
      .replaceAll(UID, "UID")
      .replaceAll(MAKING, "$1-MAKING")
      .replaceAll(FINGERPRINT, "FINGERPRINT")
  );
}

/** In the order in which their Deployments were made. */
function revisionsOf(created: readonly ProxiedRequest[]): string[] {
  const names = created.filter(({ resource }) => resource === "deployments").map(({ name }) => name);
  return [...new Set(names)].map((name) => name.slice(name.lastIndexOf("-") + 1));
}

/** Where two outcomes say something else: of decisions, where one of them has lost older ones, as many of the newest as both have. */
export function outcomeDifferences(wanted: Outcome, found: Outcome): string[] {
  const isCut = wanted.hasOlderDecisions || found.hasOlderDecisions;
  const kept = isCut ? Math.min(wanted.decisions.length, found.decisions.length) : Number.POSITIVE_INFINITY;
  const newest = ({ hasOlderDecisions: _, decisions, ...rest }: Outcome) => ({
    ...rest,
    decisions: decisions.slice(-kept),
  });
  return differences(newest(wanted), newest(found));
}

/** Where two things say something else: one line for each place; empty where they agree. */
export function differences(wanted: unknown, found: unknown): string[] {
  const [before, after] = [leaves(wanted), leaves(found)];
  return [...new Set([...before.keys(), ...after.keys()])]
    .filter((path) => before.get(path) !== after.get(path))
    .map((path) => `${path}: ${before.get(path) ?? "nothing"} became ${after.get(path) ?? "nothing"}`);
}

function leaves(value: unknown, path = "", found = new Map<string, string>()): Map<string, string> {
  if (typeof value === "object" && value !== null && Object.keys(value).length > 0)
    for (const [key, inner] of Object.entries(value))
      leaves(inner, path === "" ? key : `${path}.${key}`, found);
  else found.set(path, JSON.stringify(value));
  return found;
}
