import type { DecisionStatus, LLMBridgeStatus } from "../../api/v1alpha1/status.ts";
import type { SecretReading } from "../../prometheus/source.ts";
import type { DesiredState } from "../difference.ts";
import { ANNOTATIONS } from "../names.ts";
import type { ObservedPod } from "../observe/pod.ts";
import type { Snapshot } from "../snapshot.ts";

type SecretStatus = LLMBridgeStatus["secrets"][number];

/** What is to be said and done about the Secrets that pods mount and read again. */
export interface SecretsLook {
  readonly statuses: readonly SecretStatus[];
  readonly decisions: readonly DecisionStatus[];
  /** Pods whose kubelet should look for new content now. */
  readonly touches: DesiredState["podAnnotations"];
}

/**
 * Pods read one and the same change at most so far apart: kubelet looks at a pod every 60 to 90 seconds, and may be told of a Secret a minute late.
 * Two changes within this time cannot be told apart, since pods say when they read something, and never what.
 */
export const ONE_CHANGE_MS = 3 * 60_000;
/** After this it is worth telling that a pod has not read a change. */
export const OVERDUE_MS = 5 * 60_000;
/** Names of pods that status keeps of each Secret. */
const MOST_NAMES = 16;

interface Reader {
  readonly pod: ObservedPod;
  /** Undefined while there is no sample of the pod that is new enough. */
  readonly reading: SecretReading | undefined;
}

/**
 * Which pods have read what their Secrets hold now. Without readings nothing new is known, and what was said still holds.
 * @param copies names of the Secrets that revisions keep copies of, by the names of the copies
 */
export function lookAtSecrets(
  snapshot: Snapshot,
  copies: ReadonlyMap<string, string> = new Map(),
): SecretsLook {
  const { fleet, status, nowMs } = snapshot;
  if (fleet.kind !== "ok") return { statuses: status.secrets, decisions: [], touches: [] };
  const found = [...readersBySecret(snapshot)]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, readers]) => ({
      readers,
      now: secretStatus({ name, from: copies.get(name) }, readers, status.secrets, nowMs),
    }))
    .flatMap(({ readers, now }) => (now ? [{ readers, now }] : []));
  return {
    statuses: found.map(({ now }) => now),
    decisions: found.flatMap(({ now }) => decisionOf(now, status.secrets, nowMs)),
    touches: touches(found),
  };
}

/** The ready pods of every revision of which a pod tells of the Secret. */
function readersBySecret({ fleet, pods }: Snapshot): ReadonlyMap<string, readonly Reader[]> {
  const readings = (fleet.kind === "ok" ? fleet.value : []).filter(({ stale }) => !stale);
  const revisions = new Map<string, Set<string>>();
  for (const { revision, secrets = {} } of readings)
    for (const name of Object.keys(secrets))
      revisions.set(name, (revisions.get(name) ?? new Set()).add(revision));
  const told = new Map(readings.map(({ pod, secrets }) => [pod, secrets]));
  const serving = pods.filter(({ ready, terminating, finished }) => ready && !terminating && !finished);
  return new Map(
    [...revisions].map(([name, mounting]) => [
      name,
      serving
        .filter(({ revision }) => mounting.has(revision))
        .map((pod) => ({ pod, reading: told.get(pod.name)?.[name] })),
    ]),
  );
}

/** Undefined where nothing is to be said: every pod has what it started with. */
function secretStatus(
  { name, from }: Mounted,
  readers: readonly Reader[],
  said: readonly SecretStatus[],
  nowMs: number,
): SecretStatus | undefined {
  const before = said.find((one) => one.name === name);
  const changedMs = changeTime(readers, before);
  const isSameChange = before?.changedAt !== undefined && Date.parse(before.changedAt) === changedMs;
  const waiting =
    changedMs === undefined
      ? []
      : readers.filter((one) => !hasRead(one, { changedMs, nowMs }, isSameChange ? before : undefined));
  const refused = readers.filter(({ reading }) => reading?.refused);
  const isStillRefused =
    refused.length > 0 || (before?.state === "Refused" && readers.some(({ reading }) => !reading));
  if (changedMs === undefined && !isStillRefused) return undefined;
  const times = readers.flatMap(({ reading }) =>
    reading?.changes && reading.sinceMs ? reading.sinceMs : [],
  );
  const isOverdue = changedMs !== undefined && nowMs - changedMs > OVERDUE_MS;
  const state = isStillRefused
    ? "Refused"
    : waiting.length === 0
      ? "Reread"
      : isOverdue
        ? "Overdue"
        : "Rereading";
  const read = readers.length - waiting.length;
  const counts = { pods: readers.length, read };
  return {
    name,
    state,
    ...(changedMs === undefined ? {} : { changedAt: new Date(changedMs).toISOString() }),
    ...(changedMs === undefined
      ? {}
      : { readAt: new Date(Math.max(changedMs, ...times, readMs(before))).toISOString() }),
    ...counts,
    waiting: waiting
      .map(({ pod }) => pod.name)
      .sort()
      .slice(0, MOST_NAMES),
    message: sentence({ name, from }, state, counts, refused.length),
  };
}

const readMs = (before: SecretStatus | undefined): number => Date.parse(before?.readAt ?? "") || 0;

/**
 * When the newest change was first read by any pod; undefined where none was seen. A pod that had not read the change before is only late, however
 * late it comes: that is not another change.
 */
function changeTime(readers: readonly Reader[], before: SecretStatus | undefined): number | undefined {
  const knownMs = before?.changedAt === undefined ? undefined : Date.parse(before.changedAt);
  const isLate = (pod: string): boolean =>
    before !== undefined &&
    (before.waiting.includes(pod) || before.pods - before.read > before.waiting.length);
  const times = readers.flatMap(({ pod, reading }) => {
    const { sinceMs, changes = 0 } = reading ?? {};
    if (sinceMs === undefined || changes === 0) return [];
    if (knownMs === undefined) return [sinceMs];
    const isNew = sinceMs > readMs(before) && sinceMs > knownMs + ONE_CHANGE_MS && !isLate(pod.name);
    return isNew ? [sinceMs] : [];
  });
  if (times.length === 0) return knownMs;
  const newestMs = Math.max(...times);
  return Math.min(...times.filter((time) => time >= newestMs - ONE_CHANGE_MS));
}

/**
 * A pod that started after a change has mounted what the Secret held by then. One that started shortly before anybody read the change may have mounted
 * either: its kubelet is waited for as long as one may take.
 */
function hasRead(
  { pod, reading }: Reader,
  { changedMs, nowMs }: { readonly changedMs: number; readonly nowMs: number },
  before: SecretStatus | undefined,
): boolean {
  if (pod.createdMs >= changedMs) return true;
  if (reading) {
    const { sinceMs, changes } = reading;
    if (sinceMs === undefined || sinceMs < changedMs - ONE_CHANGE_MS) return false;
    return changes > 0 || sinceMs >= changedMs || nowMs > changedMs + ONE_CHANGE_MS;
  }
  return before !== undefined && before.pods - before.read === before.waiting.length
    ? !before.waiting.includes(pod.name)
    : false;
}

interface Mounted {
  readonly name: string;
  /** Of a copy that a revision keeps: the Secret that it was made from. A copy never changes. */
  readonly from: string | undefined;
}

function sentence(
  { name, from }: Mounted,
  state: SecretStatus["state"],
  { pods, read }: Pick<SecretStatus, "pods" | "read">,
  refused: number,
): string {
  const secret = `Secret "${name.slice(0, 100)}"`;
  if (from !== undefined)
    return `Secret "${from.slice(0, 100)}" held what ${refused} of ${pods} pods of a revision cannot use (they read its copy, ${name}). The log of the pods says why; correct the Secret, and another canary starts.`;
  switch (state) {
    case "Refused":
      return `${secret} holds what ${refused} of ${pods} pods cannot use; what it held before stays in force. The log of the pods says why; correct the Secret.`;
    case "Reread":
      return `${secret} was re-read by ${read} of ${pods} pods.`;
    case "Rereading":
      return `${secret} has changed and was re-read by ${read} of ${pods} pods so far.`;
    case "Overdue":
      return `${secret} has changed and was re-read by only ${read} of ${pods} pods; look at the nodes of the others, or replace them with kubectl llmbridge restart.`;
  }
}

/** Told when it is known how a change ended, once. */
function decisionOf(now: SecretStatus, said: readonly SecretStatus[], nowMs: number): DecisionStatus[] {
  const before = said.find((one) => one.name === now.name);
  if (now.state === "Rereading") return [];
  if (before?.state === now.state && before.changedAt === now.changedAt) return [];
  const told = { time: new Date(nowMs).toISOString(), message: now.message, refused: [] };
  if (now.state === "Reread") return [{ ...told, action: "Reread", reason: "SecretReread" }];
  return [{ ...told, action: "NotReread", reason: `Secret${now.state}` }];
}

/** A pod is touched once for each change, which makes its kubelet look at once and not within a minute and a half. */
function touches(
  found: readonly { readonly readers: readonly Reader[]; readonly now: SecretStatus }[],
): DesiredState["podAnnotations"] {
  const newest = new Map<string, { readonly pod: ObservedPod; readonly changedAt: string }>();
  for (const { readers, now } of found)
    for (const { pod } of readers) {
      if (now.changedAt === undefined || !now.waiting.includes(pod.name)) continue;
      const other = newest.get(pod.name)?.changedAt ?? "";
      if (now.changedAt > other) newest.set(pod.name, { pod, changedAt: now.changedAt });
    }
  return [...newest.values()]
    .filter(({ pod, changedAt }) => changedAt > (pod.touchedForSecrets ?? ""))
    .map(({ pod: { name, uid }, changedAt }) => ({
      name,
      uid,
      annotations: { [ANNOTATIONS.secretsChanged]: changedAt },
    }));
}
