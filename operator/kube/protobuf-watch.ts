import { isBookmark, isStored, statusOf } from "./answers.ts";
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
  chunks: AsyncIterable<Uint8Array>,
  shape: Shape,
): AsyncGenerator<WatchEvent<T>> {
  for await (const frame of framesOf(chunks)) {
    const { type, object } = decode(frame, EVENT) as { type?: string; object?: { raw?: Buffer } };
    if (type === "BOOKMARK") {
      const bookmark: unknown = decode(contentOf(object?.raw), BOOKMARK);
      if (!isBookmark(bookmark)) throw new RangeError("a bookmark of a watch has no version");
      const { metadata } = bookmark;
      const initialEventsEnd = metadata.annotations?.[INITIAL_EVENTS_END] === "true";
      yield { type, resourceVersion: metadata.resourceVersion, initialEventsEnd };
    } else if (type === "ERROR") {
      yield { type, status: statusOf(statusIn(object?.raw)) };
    } else if (type === "ADDED" || type === "MODIFIED" || type === "DELETED") {
      const stored: unknown = decode(contentOf(object?.raw), shape);
      if (!isStored(stored)) throw new RangeError("an event of a watch has no object");
      yield { type, object: stored as T };
    }
  }
}

const LENGTH_BYTES = 4;

async function* framesOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of chunks) {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length);
    rest = rest.length === 0 ? bytes : Buffer.concat([rest, bytes]);
    let at = 0;
    while (rest.length - at >= LENGTH_BYTES) {
      const length = rest.readUInt32BE(at);
      if (length > MAX_EVENT_BYTES)
        throw new RangeError(`a watch event is longer than ${MAX_EVENT_BYTES} bytes`);
      const end = at + LENGTH_BYTES + length;
      if (end > rest.length) break;
      yield rest.subarray(at + LENGTH_BYTES, end);
      at = end;
    }
    rest = rest.subarray(at);
  }
}
