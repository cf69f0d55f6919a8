import { setTimeout as delay } from "node:timers/promises";
import { ApiError, TransportError } from "../../kube/errors.ts";
import type { BridgeView } from "../bridge-view.ts";
import { type Connection, readBridge, sentenceOf } from "../connection.ts";
import { isRefusal } from "../refusal.ts";

interface FirstOptions {
  /** Told in a sentence when the API server does not answer. */
  readonly onTrouble: (sentence: string) => void;
  readonly signal: AbortSignal;
  /** How long an API server may be away of which nothing was heard yet: its address may be wrong. Default 2 min. */
  readonly awayForMs?: number;
  /** Between two tries. Default 2 s. */
  readonly againMs?: number;
}

const AWAY_FOR_MS = 120_000;
const AGAIN_MS = 2_000;

/**
 * The bridge as it is now, though the API server may be away for a while, and know nobody while it starts.
 * @throws CliFailure when there is none; what the server or the network answers last; the reason of the signal
 */
export async function firstState(
  connection: Connection,
  name: string,
  { onTrouble, signal, awayForMs = AWAY_FOR_MS, againMs = AGAIN_MS }: FirstOptions,
): Promise<BridgeView> {
  const untilMs = performance.now() + awayForMs;
  let wasAway = false;
  for (;;) {
    try {
      return await readBridge(connection, name, { signal });
    } catch (error) {
      signal.throwIfAborted();
      const isWorthWaiting = isAway(error) || (wasAway && isRefusal(error));
      if (!isWorthWaiting || performance.now() >= untilMs) throw error;
      wasAway = true;
      onTrouble(sentenceOf(error));
    }
    await delay(againMs, undefined, { signal });
  }
}

/** A proxy answers with 502 to 504 for an API server that is not there. */
const isAway = (error: unknown): boolean =>
  error instanceof TransportError || (error instanceof ApiError && error.code >= 500);
