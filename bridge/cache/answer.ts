import type { RouteLabel } from "../../contract/metrics.ts";
import { isRecord } from "../json-value.ts";

/** A whole answer as the client got it; a stream is stored as the bytes of all its events. */
export interface CachedAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: Buffer;
}

/** Longer than any value that matters and the space that a writer of JSON may put around the colon. */
const VALUE_BYTES = 40;
const VALUE = /^\s*:\s*(\S)/;
const WHOLE = new Set<unknown>(["stop", "tool_calls", "function_call"]);
const REASON = /^\s*:\s*(?:(null)|"(?:stop|tool_calls|function_call)")/;

/**
 * Whether an answer of OpenAI's format may be given to everyone who asks the same: it is one, reports no error, and the model came to an
 * end of its own in it, by a stop or a call. Limits and filters cut answers short. Parses an answer in one piece; a stream must have
 * had its terminal event.
 */
export function isReusable(route: RouteLabel, answer: CachedAnswer): boolean {
  if (answer.status !== 200) return false;
  if (answer.contentType.startsWith("text/event-stream")) return isWholeStream(answer.body);
  const body = parsed(answer.body);
  if (!isRecord(body) || (body.error !== undefined && body.error !== null)) return false;
  const { choices, data } = body;
  if (route === "embeddings") return Array.isArray(data) && data.length > 0;
  if (!Array.isArray(choices) || choices.length === 0) return false;
  return choices.every((choice) => isRecord(choice) && WHOLE.has(choice.finish_reason));
}

function isWholeStream(body: Buffer): boolean {
  for (const value of valuesOf(body, '"error"')) if (VALUE.exec(value)?.[1] !== "n") return false;
  let hasEnded = false;
  for (const value of valuesOf(body, '"finish_reason"')) {
    const reason = REASON.exec(value);
    if (reason === null) return false;
    if (reason[1] === undefined) hasEnded = true;
  }
  return hasEnded;
}

/** What follows each field of a name, found without parsing. Text of the answer cannot be taken for one: quotes inside a JSON string are escaped. */
function* valuesOf(body: Buffer, name: string): Generator<string> {
  for (let at = body.indexOf(name); at >= 0; at = body.indexOf(name, at + name.length)) {
    const from = at + name.length;
    const value = body.toString("latin1", from, from + VALUE_BYTES);
    if (VALUE.test(value)) yield value;
  }
}

function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    return undefined;
  }
}

/** An answer with the time at which it was stored first, so that no tier keeps it longer than another. */
export interface StoredAnswer extends CachedAnswer {
  /** Milliseconds since 1970. */
  readonly storedMs: number;
}

/** How long a stored answer may still be reused; 0 where its time is over. A clock that is behind the writer's adds nothing. */
export function leftMs(storedMs: number, nowMs: number, ttlMs: number): number {
  return Math.max(0, Math.min(ttlMs, storedMs + ttlMs - nowMs));
}

/** First byte of a stored answer; a pod takes any other layout for a miss, so that versions may share a Redis. */
const LAYOUT = 2;
const HEAD_BYTES = 13;

/** An answer as one value: layout (1 byte), status (u16), length of the content type (u16), time (f64), content type, body. */
export function packAnswer(answer: StoredAnswer): Buffer {
  const typeBytes = Buffer.byteLength(answer.contentType);
  const packed = Buffer.allocUnsafe(HEAD_BYTES + typeBytes + answer.body.length);
  packed.writeUInt8(LAYOUT, 0);
  packed.writeUInt16BE(answer.status, 1);
  packed.writeUInt16BE(typeBytes, 3);
  packed.writeDoubleBE(answer.storedMs, 5);
  packed.write(answer.contentType, HEAD_BYTES);
  answer.body.copy(packed, HEAD_BYTES + typeBytes);
  return packed;
}

/** The answer in a stored value, or undefined where it was written by something else or was cut short. */
export function unpackAnswer(packed: Buffer): StoredAnswer | undefined {
  if (packed.length < HEAD_BYTES || packed[0] !== LAYOUT) return undefined;
  const bodyStart = HEAD_BYTES + packed.readUInt16BE(3);
  if (packed.length < bodyStart) return undefined;
  return {
    status: packed.readUInt16BE(1),
    storedMs: packed.readDoubleBE(5),
    contentType: packed.toString("utf8", HEAD_BYTES, bodyStart),
    body: packed.subarray(bodyStart),
  };
}
