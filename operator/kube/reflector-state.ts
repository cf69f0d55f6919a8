import type { Page } from "./client.ts";
import { ApiError, isFutureVersion, isGone, isInvalid, isTooManyRequests, isUnauthorized } from "./errors.ts";
import { eventFailure } from "./failure.ts";
import { type InitialEvents, objectsOf } from "./initial-events.ts";
import type { KubeObject } from "./object.ts";
import type { WatchEvent } from "./watch-event.ts";

/** Why a full list is made. */
export type ListReason = "start" | "expired" | "rejected" | "silent" | "behind";

/** How the whole of a collection is read: as the first events of a watch, or page by page. */
export type ListMode = "Stream" | "Pages";

/** Nothing was heard from a watch for longer than bookmarks take, or the end of its initial events was not. */
export class SilenceError extends Error {
  override readonly name = "SilenceError";
}

/** Something is known to be there that a quiet watch does not bring. */
export class BehindError extends Error {
  override readonly name = "BehindError";
}

/** Reading the collection page by page; nothing of it is shown before the last page has come. */
export interface Listing<T> {
  readonly phase: "listing";
  readonly reason: ListReason;
  /** How the list after this one is made: Stream, where only this one is read by pages. */
  readonly mode: ListMode;
  readonly items: readonly T[];
  readonly continueToken: string | undefined;
}

/** Reading the collection as the first events of a watch; nothing of it is shown before the bookmark that ends them. */
export interface Streaming<T> {
  readonly phase: "streaming";
  readonly reason: ListReason;
  readonly events: InitialEvents<T> | undefined;
}

/** Following changes from a version on. */
export interface Watching {
  readonly phase: "watching";
  readonly resourceVersion: string;
  /** How the next list is made, should one be needed. */
  readonly mode: ListMode;
}

type Active<T> = Listing<T> | Streaming<T> | Watching;

/** Backing off; then goes on where it stood. */
interface Waiting<T> {
  readonly phase: "waiting";
  readonly next: Active<T>;
}

export type ReflectorState<T> = Active<T> | Waiting<T>;

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

export function startListing<T>(reason: ListReason, mode: ListMode): Listing<T> | Streaming<T> {
  return mode === "Stream" ? { phase: "streaming", reason, events: undefined } : startPages(reason, mode);
}

function startPages<T>(reason: ListReason, mode: ListMode): Listing<T> {
  return { phase: "listing", reason, mode, items: [], continueToken: undefined };
}

/**
 * The whole behaviour of a reflector; I/O and time are the caller's.
 *
 * Every error is survivable. A watch that breaks resumes from the last version seen. History that the server no longer has (410, as
 * an HTTP status or inside the stream) leads to a new list, and so does a watch request that the server refuses for any other reason
 * than being busy, or not knowing who asks. A silent watch too: after a restore of etcd the server takes a watch from a version that it has not reached yet and
 * withholds every event until then. And one that is known to be behind: this list is read by pages, since what holds a watch back may
 * hold back the next one too.
 *
 * Lists are streamed unless told otherwise. A stream that ends before it is whole starts anew: half a list has no version to go on
 * from. A server that refuses the form of the request, or answers it as a plain watch, is read by pages from then on; one that answers
 * with another failure, this once, since a server may well list what it cannot stream.
 *
 * Lists ask for the latest state and not for any cached one (`resourceVersion=0`): since Kubernetes 1.31 that costs the server no
 * more, and a list can never show a past older than what was shown before.
 * @throws Error on an input that the state cannot get: a bug of the caller
 */
export function step<T extends KubeObject>(state: ReflectorState<T>, input: ReflectorInput<T>): Step<T> {
  if (input.kind === "failed" && state.phase !== "waiting") return failed(state, input.error);
  if (state.phase === "waiting" && input.kind === "waited") return { state: state.next };
  if (state.phase === "listing" && input.kind === "page") return afterPage(state, input.page);
  if (state.phase === "streaming" && input.kind === "event") return afterInitialEvent(state, input.event);
  if (state.phase === "streaming" && input.kind === "ended")
    return { state: { phase: "waiting", next: startListing(state.reason, "Stream") } };
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
  return shown(items, page.resourceVersion, state.mode);
}

function shown<T>(items: readonly T[], resourceVersion: string, mode: ListMode): Step<T> {
  return {
    state: { phase: "watching", resourceVersion, mode },
    effect: { kind: "replace", items, resourceVersion },
  };
}

function afterInitialEvent<T extends KubeObject>(state: Streaming<T>, event: WatchEvent<T>): Step<T> {
  switch (event.type) {
    case "BOOKMARK":
      // Who streams lists sends no other bookmark before the one that ends them.
      if (!event.initialEventsEnd) return { state: startListing(state.reason, "Pages") };
      return shown(objectsOf(state.events), event.resourceVersion, "Stream");
    case "ERROR":
      return failed(state, eventFailure(event.status));
    default:
      return { state: { ...state, events: { newest: event, before: state.events } } };
  }
}

function afterEvent<T extends KubeObject>(state: Watching, event: WatchEvent<T>): Step<T> {
  switch (event.type) {
    case "BOOKMARK": {
      const { resourceVersion } = event;
      return { state: { ...state, resourceVersion }, effect: { kind: "reached", resourceVersion } };
    }
    case "ERROR":
      return failed(state, eventFailure(event.status));
    default: {
      const { object } = event;
      const next: Watching = { ...state, resourceVersion: object.metadata.resourceVersion };
      return { state: next, effect: { kind: event.type === "DELETED" ? "remove" : "set", object } };
    }
  }
}

function failed<T>(state: Active<T>, error: unknown): Step<T> {
  // Told once and for all, so there is nothing to wait for.
  if (state.phase === "streaming" && (isInvalid(error) || error instanceof SilenceError))
    return { state: startListing(state.reason, "Pages") };
  return { state: { phase: "waiting", next: afterFailure(state, error) } };
}

function afterFailure<T>(state: Active<T>, error: unknown): Active<T> {
  switch (state.phase) {
    case "listing":
      return isGone(error) ? startPages(state.reason, state.mode) : state;
    case "streaming": {
      const unable = error instanceof ApiError && !isGone(error) && !isTooManyRequests(error);
      return unable ? startPages(state.reason, "Stream") : startListing(state.reason, "Stream");
    }
    case "watching": {
      if (isGone(error)) return startListing("expired", state.mode);
      if (error instanceof SilenceError) return startListing("silent", state.mode);
      if (error instanceof BehindError) return startPages("behind", state.mode);
      if (isFutureVersion(error)) return startListing("rejected", state.mode);
      // Who has lost a token loses nothing of the history, and could not list either. Who may not watch may still list.
      const passes = isTooManyRequests(error) || isUnauthorized(error);
      const refused = error instanceof ApiError && error.code < 500 && !passes;
      return refused ? startListing("rejected", state.mode) : state;
    }
  }
}
