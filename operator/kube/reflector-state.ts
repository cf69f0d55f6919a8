import type { Page, WatchEvent } from "./client.ts";
import { ApiError, isFutureVersion, isGone, isTooManyRequests } from "./errors.ts";
import type { KubeObject } from "./object.ts";

/** Why a full list is made. */
export type ListReason = "start" | "expired" | "rejected" | "silent";

/** Nothing was heard from a watch for longer than bookmarks take. */
export class SilenceError extends Error {
  override readonly name = "SilenceError";
}

/** Reading the collection page by page; nothing of it is shown before the last page has come. */
export interface Listing<T> {
  readonly phase: "listing";
  readonly reason: ListReason;
  readonly items: readonly T[];
  readonly continueToken: string | undefined;
}

/** Following changes from a version on. */
export interface Watching {
  readonly phase: "watching";
  readonly resourceVersion: string;
}

/** Backing off; then goes on where it stood. */
interface Waiting<T> {
  readonly phase: "waiting";
  readonly next: Listing<T> | Watching;
}

export type ReflectorState<T> = Listing<T> | Watching | Waiting<T>;

/** What happened to the request that a state stands for. */
export type ReflectorInput<T> =
  | { readonly kind: "page"; readonly page: Page<T> }
  | { readonly kind: "event"; readonly event: WatchEvent<T> }
  /** The server ended the watch in order. `quick`: at once and without an event, so that resuming right away could spin. */
  | { readonly kind: "ended"; readonly quick: boolean }
  /** A request failed, a stream broke, or nothing was heard for too long. */
  | { readonly kind: "failed"; readonly error: unknown }
  | { readonly kind: "waited" };

/** What the store has to take over before the next step. */
export type ReflectorEffect<T> =
  | { readonly kind: "replace"; readonly items: readonly T[]; readonly resourceVersion: string }
  | { readonly kind: "set"; readonly object: T }
  | { readonly kind: "remove"; readonly object: T }
  /** Nothing changed, but everything up to this version has been seen. */
  | { readonly kind: "reached"; readonly resourceVersion: string };

export interface Step<T> {
  readonly state: ReflectorState<T>;
  readonly effect?: ReflectorEffect<T>;
}

export function startListing<T>(reason: ListReason): Listing<T> {
  return { phase: "listing", reason, items: [], continueToken: undefined };
}

/**
 * The whole behaviour of a reflector; I/O and time are the caller's.
 *
 * Every error is survivable. A watch that breaks resumes from the last version seen. History that the server no longer has (410, as
 * an HTTP status or inside the stream) leads to a new list, and so does a watch request that the server refuses for any other reason
 * than being busy. A silent watch too: after a restore of etcd the server takes a watch from a version that it has not reached yet and
 * withholds every event until then.
 *
 * Lists ask for the latest state and not for any cached one (`resourceVersion=0`): since Kubernetes 1.31 that costs the server no
 * more, and a list can never show a past older than what was shown before.
 * @throws Error on an input that the state cannot get: a bug of the caller
 */
export function step<T extends KubeObject>(state: ReflectorState<T>, input: ReflectorInput<T>): Step<T> {
  if (input.kind === "failed" && state.phase !== "waiting")
    return { state: { phase: "waiting", next: afterFailure(state, input.error) } };
  if (state.phase === "waiting" && input.kind === "waited") return { state: state.next };
  if (state.phase === "listing" && input.kind === "page") return afterPage(state, input.page);
  if (state.phase === "watching" && input.kind === "event") return afterEvent(state, input.event);
  if (state.phase === "watching" && input.kind === "ended") {
    return { state: input.quick ? { phase: "waiting", next: state } : state };
  }
  throw new Error(`a reflector that is ${state.phase} cannot take the input ${input.kind}`);
}

function afterPage<T>(state: Listing<T>, page: Page<T>): Step<T> {
  const items = [...state.items, ...page.items];
  if (page.continueToken !== undefined)
    return { state: { ...state, items, continueToken: page.continueToken } };
  const { resourceVersion } = page;
  return {
    state: { phase: "watching", resourceVersion },
    effect: { kind: "replace", items, resourceVersion },
  };
}

function afterEvent<T extends KubeObject>(state: Watching, event: WatchEvent<T>): Step<T> {
  switch (event.type) {
    case "BOOKMARK": {
      const { resourceVersion } = event;
      return { state: { phase: "watching", resourceVersion }, effect: { kind: "reached", resourceVersion } };
    }
    case "ERROR": {
      const error = new ApiError("watch", event.status.code ?? 500, event.status);
      return { state: { phase: "waiting", next: afterFailure(state, error) } };
    }
    default: {
      const { object } = event;
      const next: Watching = { phase: "watching", resourceVersion: object.metadata.resourceVersion };
      return { state: next, effect: { kind: event.type === "DELETED" ? "remove" : "set", object } };
    }
  }
}

function afterFailure<T>(state: Listing<T> | Watching, error: unknown): Listing<T> | Watching {
  if (isGone(error)) return startListing(state.phase === "listing" ? state.reason : "expired");
  if (state.phase === "listing") return state;
  if (error instanceof SilenceError) return startListing("silent");
  if (isFutureVersion(error)) return startListing("rejected");
  const refused = error instanceof ApiError && error.code < 500 && !isTooManyRequests(error);
  return refused ? startListing("rejected") : state;
}
