import { isBookmark, isStored, statusOf } from "./answers.ts";
import type { KubeObject } from "./object.ts";
import { INITIAL_EVENTS_END, type WatchEvent } from "./watch-event.ts";
import { parseLines } from "./watch-lines.ts";

/**
 * Events of a watch that comes as lines of JSON; types of events that are unknown are passed over.
 * @throws Error on a line that is no event or longer than MAX_EVENT_BYTES; the watch then has to start again
 */
export async function* jsonEvents<T extends KubeObject>(
  stream: AsyncIterable<readonly Uint8Array[]>,
): AsyncGenerator<WatchEvent<T>> {
  for await (const line of parseLines(stream)) {
    const { type, object } = (line ?? {}) as { type?: unknown; object?: unknown };
    if (typeof type !== "string") throw new Error("a line of a watch is no event");
    if (type === "BOOKMARK") {
      if (!isBookmark(object)) throw new Error("a bookmark of a watch has no version");
      const { resourceVersion, annotations } = object.metadata;
      yield { type, resourceVersion, initialEventsEnd: annotations?.[INITIAL_EVENTS_END] === "true" };
    } else if (type === "ERROR") {
      yield { type, status: statusOf(object) };
    } else if (type === "ADDED" || type === "MODIFIED" || type === "DELETED") {
      if (!isStored(object)) throw new Error("an event of a watch has no object");
      yield { type, object: object as T };
    }
  }
}
