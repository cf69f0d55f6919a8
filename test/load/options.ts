import type { Outcome } from "./outcome.ts";

/** What traffic a load is made of. */
export interface LoadOptions {
  /** `http://host:port` of the bridge's traffic port or Service. */
  readonly url: string;
  /** Arrivals a second of chats, short streams and embeddings together; they come at random (a Poisson process). */
  readonly rps: number;
  /** Model to ask for. Default `m`. */
  readonly model?: string;
  /** Share of arrivals that are streams as short as the model makes them. Default 0.2. */
  readonly streamShare?: number;
  /** Share of arrivals that are embeddings. Default 0.05. */
  readonly embeddingShare?: number;
  /** Share of arrivals on a connection of their own, which is closed after them; the others keep theirs alive. Default 0.3. */
  readonly freshShare?: number;
  /** Share of arrivals whose prompt came before, so that a cache may answer. Default 0.1. */
  readonly repeatShare?: number;
  /** Long streams that are open at any time; one that ends is followed by another. Default 0. */
  readonly longStreams?: number;
  /** Length of the longest of them; the shortest are a quarter of it. Default 60. */
  readonly longStreamSeconds?: number;
  /** WebSocket agents. Default 0. */
  readonly agents?: number;
  /** Each agent sends a chat this often on average. Default 1,000. */
  readonly agentEveryMs?: number;
  /**
   * A connection that has been idle this long is not used again. Default 3,000: below what any server keeps one for, so that a
   * request does not meet a connection that is being closed.
   */
  readonly idleReuseMs?: number;
  /** A request without a complete answer after this failed; long streams get their length more. Default 30,000. */
  readonly timeoutMs?: number;
  /** Checks that each answer echoes its own question, as the model stand-in does. Default true. */
  readonly verifyEcho?: boolean;
  /** Further request headers. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Makes arrivals and prompts the same in each run. Default 1. */
  readonly seed?: number;
  /** Told of each request when it is over. */
  readonly onOutcome?: (outcome: Outcome) => void;
}

export type FullOptions = Required<Omit<LoadOptions, "onOutcome">> & Pick<LoadOptions, "onOutcome">;

export function withDefaults(options: LoadOptions): FullOptions {
  return {
    model: "m",
    streamShare: 0.2,
    embeddingShare: 0.05,
    freshShare: 0.3,
    repeatShare: 0.1,
    longStreams: 0,
    longStreamSeconds: 60,
    agents: 0,
    agentEveryMs: 1_000,
    idleReuseMs: 3_000,
    timeoutMs: 30_000,
    verifyEcho: true,
    headers: {},
    seed: 1,
    ...options,
  };
}
