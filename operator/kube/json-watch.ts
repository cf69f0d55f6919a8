import type { Status } from "./errors.ts";
import type { KubeObject } from "./object.ts";
import { INITIAL_EVENTS_END, type WatchEvent } from "./watch-event.ts";
import { parseLines } from "./watch-lines.ts";

/**
 * Events of a watch that comes as lines of JSON; types of events that are unknown are passed over.
 * @throws Error on a line that is not JSON or longer than MAX_EVENT_BYTES; the watch then has to start again
 */
export async function* jsonEvents<T extends KubeObject>(
  stream: AsyncIterable<Uint8Array>,
): AsyncGenerator<WatchEvent<T>> {
  for await (const line of parseLines(stream)) {
    const { type, object } = line as { type: string; object: unknown };
    if (type === "BOOKMARK") {
      const { resourceVersion, annotations } = (object as KubeObject).metadata;
      yield { type, resourceVersion, initialEventsEnd: annotations?.[INITIAL_EVENTS_END] === "true" };
    } else if (type === "ERROR") {
      yield { type, status: object as Status };
    } else if (type === "ADDED" || type === "MODIFIED" || type === "DELETED") {
      yield { type, object: object as T };
    }
  }
}
