import { setMaxListeners } from "node:events";
import { startAgent } from "./agent.ts";
import { type Arrivals, startArrivals } from "./arrivals.ts";
import type { Context } from "./context.ts";
import { epochMs } from "./context.ts";
import { createHttpClient, type Plan } from "./http.ts";
import { type LoadOptions, withDefaults } from "./options.ts";
import { seededRandom } from "./random.ts";
import { type Report, type Snapshot, Tally } from "./tally.ts";

export type { LoadOptions } from "./options.ts";
export type { Report, Snapshot } from "./tally.ts";

/** Traffic that runs until it is stopped. */
export interface Load {
  /** Arrivals a second from now on; long streams and agents stay as they are. */
  setRate(rps: number): void;
  /** The counts so far; cheap enough to be taken many times a second. */
  snapshot(): Snapshot;
  /**
   * Sends nothing new, waits for what is on its way (at most `finishWithinMs`, default the time-out of the longest), and reports.
   * A second call returns the first one's report.
   */
  stop(finishWithinMs?: number): Promise<Report>;
}

/** Prompts that repeat are drawn from this many. */
const REPEATED_PROMPTS = 50;

/** A failed long stream is followed by the next after this, so that a server that is away is not stormed. */
const PAUSE_MS = 500;

/**
 * Starts an open loop: requests are sent when they are due, not when others have been answered, and latencies count from when
 * they were due. Nothing is ever sent twice.
 */
export function startLoad(given: LoadOptions): Load {
  const options = withDefaults(given);
  const random = seededRandom(options.seed);
  const giveUp = new AbortController();
  setMaxListeners(0, giveUp.signal);
  const tally = new Tally(() => epochMs(performance.now()));
  const run = Math.floor(performance.timeOrigin + performance.now()).toString(36);
  let asked = 0;
  const nonce = () => `q-${run}-${(asked++).toString(36)}`;
  const context: Context = { options, tally, random, giveUp: giveUp.signal, nonce };
  const client = createHttpClient(context);
  const open = new Set<Promise<unknown>>();
  let stopped: Promise<Report> | undefined;

  const track = (over: Promise<unknown>) => {
    open.add(over);
    over.finally(() => open.delete(over));
  };
  const plan = (): Plan => {
    const draw = random();
    const isStream = draw < options.streamShare;
    const isEmbedding = !isStream && draw < options.streamShare + options.embeddingShare;
    const repeats = random() < options.repeatShare;
    return {
      kind: isStream ? "stream" : isEmbedding ? "embeddings" : "chat",
      model: options.model,
      prompt: repeats ? `q-repeated-${Math.floor(random() * REPEATED_PROMPTS)}` : nonce(),
      fresh: random() < options.freshShare,
      timeoutMs: options.timeoutMs,
    };
  };
  const arrivals: Arrivals = startArrivals(options.rps, random, (dueMs) => track(client.send(plan(), dueMs)));

  /** One after the other for as long as the load runs. */
  const longStreams = async () => {
    while (stopped === undefined) {
      const seconds = options.longStreamSeconds * (0.25 + 0.75 * random());
      const isGood = await client.send(
        {
          kind: "longStream",
          model: `${options.model}-stream-${seconds.toFixed(1)}s`,
          prompt: nonce(),
          fresh: random() < options.freshShare,
          timeoutMs: options.timeoutMs + seconds * 1000,
        },
        performance.now(),
      );
      if (!isGood) await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  };
  for (let i = 0; i < options.longStreams; i++) track(longStreams());

  const agents = Array.from({ length: options.agents }, () => startAgent(context));
  let next = 0;
  const chats = startArrivals((options.agents * 1000) / options.agentEveryMs, random, (dueMs) => {
    agents[next++ % agents.length]?.chat(dueMs);
  });

  const stop = async (finishWithinMs: number): Promise<Report> => {
    arrivals.stop();
    chats.stop();
    const timer = setTimeout(() => giveUp.abort(), finishWithinMs);
    await Promise.all([...open, ...agents.map((agent) => agent.close())]);
    clearTimeout(timer);
    client.close();
    return tally.report();
  };
  const longestMs = options.timeoutMs + (options.longStreams > 0 ? options.longStreamSeconds * 1000 : 0);
  return {
    setRate: (rps) => arrivals.setRate(rps),
    snapshot: () => tally.snapshot(),
    stop(finishWithinMs = longestMs) {
      stopped ??= stop(finishWithinMs);
      return stopped;
    },
  };
}
