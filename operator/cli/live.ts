import type { KubeClient } from "../kube/client.ts";
import { type Clock, systemClock } from "../kube/clock.ts";
import { isNotFound, TransportError } from "../kube/errors.ts";
import { createInformer } from "../kube/informer.ts";
import type { Log } from "../kube/log.ts";
import type { KubeObject } from "../kube/object.ts";
import type { Resource } from "../kube/resources.ts";
import type { Change } from "../kube/store.ts";
import { isRefusal } from "./refusal.ts";

/** A collection that is kept current by a watch. */
export interface Live<T extends KubeObject> {
  list(): readonly T[];
  /** Why what is shown may be old; undefined while changes come in. */
  trouble(): unknown;
}

export interface Collection {
  readonly resource: Resource;
  readonly namespace: string;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
}

/**
 * Reads a collection and follows it until the signal, by the operator's own informer: the list comes as the first events of the watch,
 * a watch that breaks goes on where it was, and history that is too short begins anew.
 *
 * Resolves with the first full list. `onChange` is called after it for every change, and without one, but with what is wrong, when trouble begins and when
 * it turns from no answer into a refusal or back.
 * @throws what the server or the network answers before the list is there, where waiting would not help
 */
export async function live<T extends KubeObject>(
  client: KubeClient,
  collection: Collection,
  onChange: (change: Change<T> | undefined, error?: unknown) => void,
  signal: AbortSignal,
  clock: Clock = systemClock,
): Promise<Live<T>> {
  const refused = Promise.withResolvers<never>();
  let failure: { readonly error: unknown; readonly atMs: number } | undefined;
  const informer = createInformer<T>({
    ...collection,
    client,
    log: listenerOf((error) => {
      if (isHopeless(error)) refused.reject(error);
      if (failure === undefined || isRefusal(error) !== isRefusal(failure.error)) onChange(undefined, error);
      failure = { error, atMs: clock.monotonic() };
    }),
    timing: { backoffMs: BACKOFF_MS },
    clock,
  });
  const ended = new AbortController();
  const run = informer.start(AbortSignal.any([signal, ended.signal]));
  try {
    await Promise.race([informer.synced(), refused.promise, run]);
  } catch (error) {
    ended.abort();
    throw error;
  }
  signal.throwIfAborted();
  informer.onProgress(() => {
    failure = undefined;
  });
  let isFirst = true;
  informer.onChange((change) => {
    if (!isFirst) onChange(change);
  });
  isFirst = false;
  return {
    list: () => informer.store.list(),
    trouble: () =>
      failure && clock.monotonic() - failure.atMs < FORGIVEN_AFTER_MS ? failure.error : undefined,
  };
}

/** A person is watching, who has read what is wrong. */
const BACKOFF_MS = [500, 5_000] as const;
/** A watch that was opened again says nothing until something happens; one that fails does so sooner than this (connection.ts). */
const FORGIVEN_AFTER_MS = 20_000;

/** Before anything was shown, a person would rather read why than wait. */
function isHopeless(error: unknown): boolean {
  return isRefusal(error) || isNotFound(error) || error instanceof TransportError;
}

/** The informer tells of its failures in its log only, since it survives them all. */
function listenerOf(onFailure: (error: unknown) => void): Log {
  const listen = (fields: object) => {
    const { err } = fields as { err?: unknown };
    if (err !== undefined) onFailure(err);
  };
  const log: Log = { debug: listen, info: () => {}, warn: listen, error: listen, child: () => log };
  return log;
}
