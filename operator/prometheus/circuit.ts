import type { Clock, Timer } from "../kube/clock.ts";
import type { PrometheusClient } from "./client.ts";
import type { QueryResult } from "./problems.ts";

export interface CircuitOptions {
  readonly clock: Clock;
  /** The source answers again. */
  readonly onRecovered: () => void;
}

/** While the source is away it is asked at these pauses, first and longest, whatever the number of bridges that wait for it. */
const PROBE_MS = [2_000, 8_000] as const;
/** Costs a source nothing. */
const PROBE = "1";
const NO_ANSWER: ReadonlySet<string> = new Set(["Unreachable", "Tls", "Timeout"]);

/**
 * A client that knows when its source is away: from then on queries are answered `Away` at once, one probe asks for all of them, and
 * `onRecovered` tells when there is an answer again. A thousand bridges then neither wait for the source nor fall upon it when it is back.
 *
 * Away is a source that cannot be reached or trusted, or lets a query time out and the probe after it too: one heavy query says nothing of the others.
 */
export function withCircuit(
  client: PrometheusClient,
  { clock, onRecovered }: CircuitOptions,
): PrometheusClient {
  /** Why it is away; undefined while it answers. */
  let away: string | undefined;
  let isProbing = false;
  let isClosed = false;
  let timer: Timer | undefined;
  let pauseMs: number = PROBE_MS[0];

  const probe = async (): Promise<void> => {
    if (isProbing || isClosed) return;
    isProbing = true;
    const result = await client.query(PROBE, clock.now());
    isProbing = false;
    if (isClosed) return;
    const was = away;
    away = hasNoAnswer(result) ? result.message : undefined;
    if (away === undefined) {
      if (was !== undefined) onRecovered();
      return;
    }
    pauseMs = was === undefined ? PROBE_MS[0] : Math.min(2 * pauseMs, PROBE_MS[1]);
    timer = clock.setTimer(pauseMs, () => void probe()).unref();
  };

  return {
    async query(expression, atMs) {
      if (away !== undefined) return { ok: false, problem: "Away", message: away };
      const result = await client.query(expression, atMs);
      if (hasNoAnswer(result)) void probe();
      return result;
    },
    close() {
      isClosed = true;
      timer?.cancel();
      return client.close();
    },
  };
}

function hasNoAnswer(result: QueryResult): result is QueryResult & { readonly ok: false } {
  return !result.ok && NO_ANSWER.has(result.problem);
}
