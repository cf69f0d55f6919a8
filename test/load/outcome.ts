/** What was asked for. `agent` is a chat over a WebSocket, `socket` the WebSocket itself. */
export type Kind = "chat" | "stream" | "longStream" | "embeddings" | "agent" | "socket";

/** How one request ended. */
export interface Outcome {
  readonly kind: Kind;
  /** The revision that answered, by its header; where there was no answer, the one that this connection met before; else `unknown`. */
  readonly version: string;
  /** When it was due, and when it was really sent: milliseconds since the epoch. */
  readonly intendedMs: number;
  readonly startMs: number;
  /** From when it was due to its last byte. */
  readonly latencyMs: number;
  /** From when it was due to the first byte of the answer's body. */
  readonly firstByteMs?: number;
  /** Absent: it was answered completely and well. */
  readonly failure?: Failure;
}

export interface Failure {
  /** Stable, e.g. `status 503`, `refused`, `timeout`, `no terminal event`. */
  readonly reason: string;
  /**
   * Whether the server accepted it and then did not keep its word: an incomplete answer, a stream without its terminal
   * event, a socket closed without the notice to reconnect, a message lost.
   */
  readonly cut: boolean;
  /** The beginning of an answer that tells of a failure. */
  readonly answer?: string;
}
