import { isBookmark, isStored, statusOf } from "./answers.ts";
import { createFrames } from "./frames.ts";
import type { KubeObject } from "./object.ts";
import { decode, type Shape } from "./protobuf.ts";
import { contentOf, statusIn } from "./protobuf-envelope.ts";
import { INITIAL_EVENTS_END, type WatchEvent } from "./watch-event.ts";
import { MAX_EVENT_BYTES } from "./watch-lines.ts";

/** A server that does not speak it answers JSON. */
export const PROTOBUF_STREAM = "application/vnd.kubernetes.protobuf;stream=watch";

/** metav1.WatchEvent, with its runtime.RawExtension. */
const EVENT: Shape = { 1: ["type", "string"], 2: ["object", { message: { 1: ["raw", "bytes"] } }] };

/** metav1.ObjectMeta, but for what only its writers read. */
export const OBJECT_META: Shape = {
  1: ["name", "string"],
  3: ["namespace", "string"],
  5: ["uid", "string"],
  6: ["resourceVersion", "string"],
  7: ["generation", "int64"],
  8: ["creationTimestamp", "time"],
  9: ["deletionTimestamp", "time"],
  11: ["labels", { strings: "all" }],
  12: ["annotations", { strings: "all" }],
};

const BOOKMARK: Shape = { 1: ["metadata", { message: OBJECT_META }] };

/**
 * Events of a watch that comes as protocol buffers, with what the shape reads of each object. Each event is preceded by its length in four bytes; one
 * that is cut off is dropped, as the connection's end is told otherwise.
 * @throws Error on an event that is none, or longer than MAX_EVENT_BYTES; the watch then has to start again
 */
export async function* protobufEvents<T extends KubeObject>(
  stream: AsyncIterable<readonly Uint8Array[]>,
  shape: Shape,
): AsyncGenerator<WatchEvent<T>> {
  const frames = createFrames(MAX_EVENT_BYTES);
  for await (const pieces of stream)
    for (const piece of pieces)
      for (const frame of frames(piece)) {
        const event = eventIn<T>(frame, shape);
        if (event) yield event;
      }
}

/** Undefined for a type of event that is unknown. */
function eventIn<T extends KubeObject>(frame: Buffer, shape: Shape): WatchEvent<T> | undefined {
  const { type, object } = decode(frame, EVENT) as { type?: string; object?: { raw?: Buffer } };
  switch (type) {
    case "BOOKMARK": {
      const bookmark: unknown = decode(contentOf(object?.raw), BOOKMARK);
      if (!isBookmark(bookmark)) throw new RangeError("a bookmark of a watch has no version");
      const { metadata } = bookmark;
      const initialEventsEnd = metadata.annotations?.[INITIAL_EVENTS_END] === "true";
      return { type, resourceVersion: metadata.resourceVersion, initialEventsEnd };
    }
    case "ERROR":
      return { type, status: statusOf(statusIn(object?.raw)) };
    case "ADDED":
    case "MODIFIED":
    case "DELETED": {
      const stored: unknown = decode(contentOf(object?.raw), shape);
      if (!isStored(stored)) throw new RangeError("an event of a watch has no object");
      return { type, object: stored as T };
    }
    default:
      return undefined;
  }
}
