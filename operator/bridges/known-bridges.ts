import type { KubeClient } from "../kube/client.ts";
import type { Clock } from "../kube/clock.ts";
import { isForbidden, isNotFound } from "../kube/errors.ts";
import { formatKey, type KubeObject, type ObjectKey } from "../kube/object.ts";
import type { OwnWrites } from "../kube/own-writes.ts";
import { LLMBRIDGES } from "./caches.ts";
import { sameJson } from "./canonical.ts";
import { type Contests, createContests } from "./contest.ts";
import { emptyMemory, type Memory } from "./memory.ts";
import type { BridgeRef } from "./names.ts";
import { parseStatus, refOf } from "./observe.ts";
import type { Plan } from "./plan.ts";
import type { WriteProblem } from "./snapshot.ts";
import { ReadRefused } from "./unread.ts";

/** What is known of one bridge between passes. */
export interface Known {
  readonly uid: string;
  readonly memory: Memory;
  /** Receivers of notifications have been told what the operator before this one did not get to. */
  readonly isTold: boolean;
  /**
   * Its children and pods were asked for by quorum, or it began under this process: what a leader before this one wrote, or saw, is in the caches. Asked
   * once, before the first act.
   */
  readonly isCaughtUp: boolean;
  readonly problem: WriteProblem | undefined;
  readonly contests: Contests;
  /** A status that is on its way, or of which nobody knows whether it was stored: its answer was lost, or another writer was faster. */
  readonly unanswered?: Unanswered | undefined;
}

interface Unanswered {
  readonly plan: Plan;
  /** What is remembered once the plan's status is stored. */
  readonly memory: Memory;
}

export interface KnownBridges {
  /**
   * What is known of the bridge, sure that the cache is as new as anything that was written or read. Where nothing is known yet, or where a status
   * was not answered for, the bridge is read by quorum; nothing is read at rest.
   *
   * Behind: the cache has not reached what was read. The key waits for that in `ownWrites`, however long it takes.
   * @throws ReadRefused where it may not be read
   */
  recall(key: ObjectKey, uid: string, signal: AbortSignal): Promise<Known | "Behind">;
  note(key: ObjectKey, known: Known): void;
  /** @returns the uid of the bridge that was known */
  forget(key: ObjectKey): string | undefined;
}

export interface KnownBridgesOptions {
  readonly client: Pick<KubeClient, "get">;
  readonly ownWrites: Pick<OwnWrites, "wrote" | "deleted" | "ready">;
  readonly clock: Clock;
  /** Told of a plan whose status turns out to be stored although nobody said so. */
  readonly onStored: (bridge: BridgeRef, plan: Plan) => void;
}

export function createKnownBridges(options: KnownBridgesOptions): KnownBridges {
  const { client, ownWrites, clock } = options;
  const known = new Map<string, Known>();

  const fresh = (uid: string): Known => ({
    uid,
    memory: emptyMemory(clock.now()),
    isTold: false,
    isCaughtUp: false,
    problem: undefined,
    contests: createContests({ clock }),
  });

  /** What was not answered is known now. */
  const settled = (before: Known, { plan, memory }: Unanswered, newest: KubeObject): Known => {
    const isStored = newest.metadata.uid === before.uid && sameJson(parseStatus(newest).status, plan.status);
    if (isStored) options.onStored(refOf(newest), plan);
    return { ...before, memory: isStored ? memory : before.memory, unanswered: undefined };
  };

  return {
    async recall(key, uid, signal) {
      const id = formatKey(key);
      const found = known.get(id);
      const before = found?.uid === uid ? found : undefined;
      if (before && !before.unanswered) return before;
      let newest: KubeObject;
      try {
        newest = await client.get(LLMBRIDGES, key.namespace, key.name, { signal });
      } catch (error) {
        if (isForbidden(error)) throw new ReadRefused("get", LLMBRIDGES, key.namespace, error);
        if (!isNotFound(error)) throw error;
        ownWrites.deleted(key, LLMBRIDGES, key.namespace, key.name, uid);
        return "Behind";
      }
      ownWrites.wrote(key, LLMBRIDGES, newest);
      const after = before?.unanswered ? settled(before, before.unanswered, newest) : fresh(uid);
      known.set(id, after);
      return ownWrites.ready(key) ? after : "Behind";
    },
    note: (key, one) => void known.set(formatKey(key), one),
    forget(key) {
      const uid = known.get(formatKey(key))?.uid;
      known.delete(formatKey(key));
      return uid;
    },
  };
}
