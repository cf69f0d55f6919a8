import type { KubeClient } from "../kube/client.ts";
import type { ApiError } from "../kube/errors.ts";
import type { Informer } from "../kube/informer.ts";
import { formatKey, type KubeObject, keyOf, type ObjectKey } from "../kube/object.ts";
import type { Resource } from "../kube/resources.ts";
import type { Caches } from "./caches.ts";
import { leaveAlone } from "./decide/leave-alone.ts";
import { emptyMemory } from "./memory.ts";
import { parseStatus, refOf } from "./observe.ts";
import type { Plan } from "./plan.ts";
import { report, writeDueInMs } from "./report.ts";

/** What the operator may not read although it needs it. */
export interface Unread {
  /** Plural names of resources, as RBAC has them. */
  readonly resources: readonly string[];
  /** Those that are missing there, as a sentence has them. */
  readonly verbs: "list and watch" | "list" | "get";
  /** Empty: the right is missing in the whole cluster. */
  readonly namespace: string;
  /** The API server's own words. */
  readonly message: string;
}

/** An API server that has just started refuses what it will soon permit, and a namespace is made before the roles in it. */
const PATIENCE_MS = 10_000;

/** What may not be read of the namespace, and has not been for longer than a start takes. */
export function unreadIn({ all }: Pick<Caches, "all">, of: string): Unread | undefined {
  const refused = all.flatMap((informer) => {
    const refusal = informer.refusal(of);
    return refusal && refusal.forMs >= PATIENCE_MS ? [{ ...refusal, plural: informer.resource.plural }] : [];
  });
  const [first] = refused;
  return first && { ...first, verbs: "list and watch", resources: refused.map(({ plural }) => plural) };
}

/** A read by quorum was refused, though its resource may be watched. */
export class ReadRefused extends Error {
  readonly unread: Unread;

  constructor(verbs: Unread["verbs"], { plural }: Resource, namespace: string, cause: ApiError) {
    super(cause.message, { cause });
    this.name = "ReadRefused";
    this.unread = { verbs, resources: [plural], namespace, message: cause.status.message ?? cause.message };
  }
}

/** Writes of bridges that they cannot be seen whole. */
export interface UnreadReports {
  /**
   * Writes the conditions that say so, once.
   * @param object the bridge as its cache has it
   * @returns what was written; undefined where it is said already
   * @throws ApiError, TransportError as the client
   */
  report(
    client: KubeClient,
    object: KubeObject,
    about: { readonly unread: Unread; readonly nowMs: number },
    signal: AbortSignal,
  ): Promise<Plan | undefined>;
  /** The bridge is seen whole, or gone: it will have to be said anew. */
  forget(key: ObjectKey): void;
}

interface Said {
  readonly uid: string;
  readonly generation: number | undefined;
}

/** @param bridges their cache: where it may not be read either, it never shows what was said, and to say it of the version that it holds is a conflict */
export function createUnreadReports(bridges: Pick<Informer<KubeObject>, "refusal">): UnreadReports {
  const saidOf = new Map<string, Said>();
  return {
    async report(client, object, { unread, nowMs }, signal) {
      const { namespace = "", uid, generation, resourceVersion } = object.metadata;
      const said = saidOf.get(formatKey(keyOf(object)));
      const isSaid = said?.uid === uid && said.generation === generation;
      if (isSaid && bridges.refusal(namespace)) return undefined;
      const plan = unreadPlan(object, unread, nowMs);
      if (!plan) return undefined;
      await report(client, { ...refOf(object), resourceVersion }, plan, signal);
      saidOf.set(formatKey(keyOf(object)), { uid, generation });
      return plan;
    },
    forget: (key) => void saidOf.delete(formatKey(key)),
  };
}

/**
 * The conditions that say so, where they do not yet: nothing else is written of a bridge that cannot be seen whole.
 * @param object the bridge as its cache has it
 */
export function unreadPlan(object: KubeObject, unread: Unread, nowMs: number): Plan | undefined {
  const { status } = parseStatus(object);
  const generation = object.metadata.generation ?? 0;
  const about = { status, generation, nowMs, memory: emptyMemory(nowMs) };
  const { plan } = leaveAlone(about, { reason: "CannotRead", message: sentence(unread) });
  // The server names the verb that failed last; that another one did is no news.
  return writeDueInMs(status, plan.status, nowMs, nowMs) === 0 ? plan : undefined;
}

function sentence({ resources, verbs, namespace, message }: Unread): string {
  const what = resources.join(", ");
  const where = namespace === "" ? "in the whole cluster" : "in this namespace";
  return `The operator may not read ${what}, so that nothing of this LLMBridge is changed; give it ${verbs} on ${what} ${where}, as the roles of its chart do. It is tried again by itself. The API server says: ${message.slice(0, 500)}`;
}
