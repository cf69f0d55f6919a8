/** What the stand-in has seen since it started or was reset. */
export interface ModelStats {
  /** Requests for an answer, by path. */
  requests: Record<string, number>;
  /** Answers that the caller did not wait for: it closed the connection first. */
  aborted: number;
  /** Status 500 and 429 answers, and streams reset, by the knobs. */
  errors: number;
  rateLimited: number;
  resets: number;
  /** Answers in progress, and streams among them. */
  open: number;
  openStreams: number;
  maxOpen: number;
  /** TCP connections. */
  connections: number;
}

export function emptyStats(): ModelStats {
  return {
    requests: {},
    aborted: 0,
    errors: 0,
    rateLimited: 0,
    resets: 0,
    open: 0,
    openStreams: 0,
    maxOpen: 0,
    connections: 0,
  };
}
