import { setTimeout as delay } from "node:timers/promises";
import { until } from "../../test/kube/until.ts";
import { type Audit, type AuditedRequest, countsText, startAudit } from "../../test/scene/audit.ts";
import type { ServerProcess } from "../../test/servers/process.ts";
import type { Bed } from "./bed.ts";
import { type Kind, NAMESPACE, untilOne } from "./objects.ts";
import { cpuSeconds } from "./usage.ts";

/** What one controller asked of the API server in a while. */
export interface Counts {
  readonly writes: number;
  readonly leases: number;
  readonly watches: number;
  readonly reads: number;
  readonly conflicts: number;
}

const READS = new Set(["get", "list"]);

export function countsOf(requests: readonly AuditedRequest[], user: string): Counts {
  const own = requests.filter((one) => one.user === user);
  const count = (is: (one: AuditedRequest) => boolean) => own.filter(is).length;
  const isLease = ({ resource }: AuditedRequest) => resource === "leases";
  return {
    leases: count(isLease),
    watches: count(({ verb }) => verb === "watch"),
    reads: count((one) => !isLease(one) && READS.has(one.verb)),
    writes: count((one) => !isLease(one) && !READS.has(one.verb) && one.verb !== "watch"),
    conflicts: count(({ code }) => code === 409),
  };
}

/** What is still on its way when an object looks done: Events, a last status. */
const SETTLE_MS = 12_000;
/** Argo Rollouts leaves the old ReplicaSet for 30 s. */
const SETTLE_AFTER_PROMOTION_MS = 45_000;

export interface Life {
  readonly create: Counts;
  readonly change: Counts;
  readonly promote: Counts;
  /** What was written in each part, by resource. */
  readonly words: readonly string[];
}

/** Writes from creation to ready, from another image to the held step, and from the promotion to the end. */
export async function lifeOf(bed: Bed, kind: Kind, user: string): Promise<Life> {
  const { client, auditLogPath } = bed;
  const name = "one";
  const words: string[] = [];
  const phase = async (act: () => Promise<unknown>, what: string, is: Kind["isReady"], settleMs: number) => {
    const audit = startAudit(auditLogPath);
    await act();
    await untilOne(client, kind, name, what, is);
    await delay(settleMs);
    const requests = (await audit.requests()).filter(isAbout(name));
    const written = requests.filter((one) => one.user === user && one.resource !== "leases");
    words.push(`${what}: ${countsText(written)}`);
    return countsOf(requests, user);
  };
  const object = kind.object(name, 5);
  const create = await phase(() => client.create(kind.resource, object), "ready", kind.isReady, SETTLE_MS);
  const change = await phase(() => kind.edit(client, name, 2), "held", kind.isHeld, SETTLE_MS);
  const promote = await phase(() => kind.promote(bed, name), "done", kind.isReady, SETTLE_AFTER_PROMOTION_MS);
  await client.delete(kind.resource, NAMESPACE, name);
  return { create, change, promote, words };
}

/** Events have names of their own; they are told by what they are called after. */
const isAbout =
  (name: string) =>
  (request: AuditedRequest): boolean =>
    request.name === "" || request.name.startsWith(name) || request.resource === "events";

export interface Reaction {
  /** Milliseconds from when the API server received the edit until it received the controller's first reaction. */
  readonly allMs: number;
  /** The part of it in which the API server carried out the edit. It tells of an edit a little before that has ended. */
  readonly serverMs: number;
}

export async function reactionTo(
  { client, auditLogPath }: Bed,
  kind: Kind,
  user: string,
  name: string,
  version: number,
): Promise<Reaction> {
  const audit = startAudit(auditLogPath);
  await kind.edit(client, name, version);
  return until("a reaction", () => reactionIn(audit, kind, user, name), 60_000);
}

async function reactionIn(
  audit: Audit,
  kind: Kind,
  user: string,
  name: string,
): Promise<Reaction | undefined> {
  const requests = await audit.requests();
  const edit = requests.find((one) => one.user === "editor" && one.verb === "patch" && one.name === name);
  const reactions = requests.filter(
    (one) => one.user === user && one.code < 300 && kind.isReaction(one, name),
  );
  const first = Math.min(...reactions.map(({ receivedMs }) => receivedMs));
  if (edit === undefined || reactions.length === 0) return undefined;
  return { allMs: first - edit.receivedMs, serverMs: edit.answeredMs - edit.receivedMs };
}

export interface AtRest {
  readonly perMinute: Counts;
  readonly cpuPerMinute: number;
}

/** Requests and CPU of controllers to which nothing happens. */
export async function atRest(
  auditLogPath: string,
  running: readonly { readonly user: string; readonly process: ServerProcess }[],
  seconds: number,
): Promise<AtRest[]> {
  const audit = startAudit(auditLogPath);
  const before = running.map(({ process }) => cpuSeconds(process.pid));
  await delay(seconds * 1_000);
  const requests = await audit.requests();
  return running.map(({ user, process }, index) => ({
    perMinute: scaled(countsOf(requests, user), 60 / seconds),
    cpuPerMinute: ((cpuSeconds(process.pid) - (before[index] ?? 0)) * 60) / seconds,
  }));
}

function scaled(counts: Counts, factor: number): Counts {
  const by = (value: number) => Math.round(value * factor * 10) / 10;
  const { writes, leases, watches, reads, conflicts } = counts;
  return {
    writes: by(writes),
    leases: by(leases),
    watches: by(watches),
    reads: by(reads),
    conflicts: by(conflicts),
  };
}

/**
 * Seconds from a moment until the controller's first reaction to an edit that is made then.
 * @param how.withinMs default 90 s
 * @throws Error when there is none in time, or the reason of the signal
 */
export async function firstReactionS(
  bed: Bed,
  kind: Kind,
  user: string,
  name: string,
  version: number,
  { withinMs = 90_000, signal }: { readonly withinMs?: number; readonly signal?: AbortSignal } = {},
): Promise<number> {
  const sinceMs = Date.now();
  const audit = startAudit(bed.auditLogPath);
  await kind.edit(bed.client, name, version);
  const atMs = await until(
    "a reaction",
    async () => {
      signal?.throwIfAborted();
      const found = (await audit.requests()).filter(
        (one) => one.user === user && one.code < 300 && kind.isReaction(one, name),
      );
      return found.length === 0 ? undefined : Math.min(...found.map(({ receivedMs }) => receivedMs));
    },
    withinMs,
  );
  return (atMs - sinceMs) / 1_000;
}
