/**
 * What the proxy does to a request that a rule matches. Whether the server has carried a request out is part of the strike: a client
 * that gets no answer cannot know, and both must be survived.
 */
export type Strike =
  /** Passed on, later. */
  | { readonly kind: "Delay"; readonly ms: number }
  /** Passed on when this has ended, even if nobody waits for it any more. `after`: passed on at once, and the answer is held back. */
  | { readonly kind: "Hold"; readonly until: Promise<unknown>; readonly after?: boolean }
  /** A failure in the server's form. `after`: the server has carried the request out, and only the answer is another. */
  | {
      readonly kind: "Answer";
      readonly code: number;
      readonly reason?: string;
      readonly message?: string;
      /** Header Retry-After, seconds. */
      readonly retryAfter?: number;
      readonly after?: boolean;
    }
  /**
   * 200 with this text, whatever was asked for. `after`: the server has carried the request out, and only the answer is another. A watch begins as it
   * should, and after so many events (0) this is the next line, and the last.
   */
  | {
      readonly kind: "Body";
      readonly text: string;
      readonly after?: boolean;
      readonly afterEvents?: number;
    }
  /** The connection is reset. `after`: once the server has answered; nothing of the answer gets through. */
  | { readonly kind: "Reset"; readonly after?: boolean }
  /** Half-open: the connection stays, and no byte comes any more. Nothing is passed on. */
  | { readonly kind: "Hang" }
  /** A watch begins as it should and after so many events (0) ends with this one instead of the server's next. */
  | {
      readonly kind: "EndWatch";
      readonly code: number;
      readonly reason: string;
      readonly afterEvents?: number;
    }
  /** The connection of a watch breaks after so many events. */
  | { readonly kind: "CutWatch"; readonly afterEvents: number }
  /**
   * The first answer that the same list ever got: an API server that lags behind. Of a list that was streamed the watch ends with it,
   * so that the client goes on from there. Passed on where there is none.
   */
  | { readonly kind: "Replay" }
  /** The list as it was at that version, which the server itself tells; a list that is streamed is refused, so that it is asked for by pages. */
  | { readonly kind: "AsOf"; readonly resourceVersion: string };

export const delayed = (ms: number): Strike => ({ kind: "Delay", ms });
export const heldUntil = (until: Promise<unknown>, after = false): Strike => ({ kind: "Hold", until, after });
export const conflict = (): Strike => answer(409, "Conflict", "the object has been modified");
export const tooManyRequests = (retryAfter: number): Strike => ({
  ...answer(429, "TooManyRequests", "too many requests"),
  retryAfter,
});
export const gone = (): Strike => answer(410, "Expired", "too old resource version");
export const hung = (): Strike => ({ kind: "Hang" });
export const replayed = (): Strike => ({ kind: "Replay" });
export const shownAsOf = (resourceVersion: string): Strike => ({ kind: "AsOf", resourceVersion });
export const reset = (after = false): Strike => ({ kind: "Reset", after });
export const body = (text: string, { after = false, afterEvents = 0 } = {}): Strike => ({
  ...{ kind: "Body", text, after, afterEvents },
});
/** The stream tells that its history is gone, as etcd's compaction makes it do. */
export const historyGone = (afterEvents = 0): Strike => ({
  kind: "EndWatch",
  code: 410,
  reason: "Expired",
  afterEvents,
});
export const cutWatch = (afterEvents: number): Strike => ({ kind: "CutWatch", afterEvents });
/** As a server answers that does not stream lists. */
export const invalid = (): Extract<Strike, { kind: "Answer" }> =>
  answer(422, "Invalid", "sendInitialEvents is forbidden for watch");

export function answer(
  code: number,
  reason = "",
  message = `injected ${code}`,
): Extract<Strike, { kind: "Answer" }> {
  return { kind: "Answer", code, reason, message };
}

/** The server's form of a failure. */
export function statusBody(code: number, reason: string, message: string, retryAfter?: number): string {
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Status",
    status: "Failure",
    code,
    reason,
    message,
    ...(retryAfter === undefined ? {} : { details: { retryAfterSeconds: retryAfter } }),
  });
}
