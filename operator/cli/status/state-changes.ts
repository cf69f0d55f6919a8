import { setTimeout as delay } from "node:timers/promises";
import { TransportError } from "../../kube/errors.ts";
import type { BridgeView } from "../bridge-view.ts";
import { BRIDGES, type Connection, sentenceOf } from "../connection.ts";
import { CliFailure } from "../failure.ts";
import { followTogether } from "../follow.ts";
import { isRefusal } from "../refusal.ts";

export interface FollowOptions {
  /** Told in a sentence when changes stop coming in. */
  readonly onTrouble: (sentence: string) => void;
  readonly signal: AbortSignal;
  /** How long an API server that takes the credentials no more is given to think again: while it starts, it knows nobody. Default 30 s. */
  readonly refusedForMs?: number;
}

const REFUSED_FOR_MS = 30_000;
/** Between two tries to begin anew. */
const AGAIN_MS = 2_000;

/**
 * Every state of one object from now on, its present one first, until the signal; through times in which the API server is away.
 * @param first the object as it was read; one that has another uid is not it any more
 * @throws CliFailure when it is deleted, or another one has taken its name; what the server answers to whoever may not read it
 */
export async function* statesOf(
  connection: Connection,
  first: BridgeView,
  { onTrouble, signal, refusedForMs = REFUSED_FOR_MS }: FollowOptions,
): AsyncGenerator<BridgeView> {
  const { name, uid } = first.metadata;
  const ended = new AbortController();
  const until = AbortSignal.any([signal, ended.signal]);
  const refused = new AbortController();
  let isAsked = false;
  const trouble = (error: unknown) => {
    onTrouble(`no changes come in (${error instanceof Error ? error.message : String(error)}); trying again`);
    if (!isRefusal(error) || isAsked) return;
    isAsked = true;
    void stillRefused(connection, name, refusedForMs, until).then((why) => {
      isAsked = false;
      if (why !== undefined) refused.abort(why);
    });
  };
  try {
    for (;;) {
      try {
        const all = AbortSignal.any([until, refused.signal]);
        let isFirst = true;
        for await (const changes of followTogether(connection, name, all, trouble)) {
          if (isFirst && changes.length === 0) throw new CliFailure(`${name} was deleted.`);
          isFirst = false;
          if (changes.some(({ bridge, gone }) => !gone && bridge.metadata.uid !== uid))
            throw new CliFailure(
              `${name} was deleted, and another one of that name was made; \`kubectl llmbridge status ${name}\` follows that.`,
            );
          for (const { bridge, gone } of changes) {
            if (gone || bridge.metadata.deletionTimestamp !== undefined)
              throw new CliFailure(`${name} ${gone ? "was" : "is being"} deleted.`);
            yield bridge;
          }
        }
      } catch (error) {
        if (refused.signal.aborted && !until.aborted) throw refused.signal.reason;
        if (!(error instanceof TransportError) || until.aborted) throw error;
        onTrouble(sentenceOf(error));
        await delay(AGAIN_MS, undefined, { signal: until });
      }
    }
  } finally {
    ended.abort();
  }
}

/** What the server says when it is asked again after a while, as often as it says something else; undefined where it lets the person read. */
async function stillRefused(
  { client, namespace }: Connection,
  name: string,
  afterMs: number,
  signal: AbortSignal,
): Promise<unknown> {
  while (!signal.aborted) {
    try {
      await delay(afterMs, undefined, { signal });
      await client.get(BRIDGES, namespace, name, { signal });
      return undefined;
    } catch (error) {
      if (isRefusal(error)) return error;
    }
  }
  return undefined;
}
