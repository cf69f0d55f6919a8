/** A whole answer as the client got it; a stream is stored as the bytes of all its events. */
export interface CachedAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: Buffer;
}

const REASON = '"finish_reason"';
/** Longer than any value that matters and the space that a writer of JSON may put around the colon. */
const REASON_BYTES = 40;
const CUT_SHORT = /^\s*:\s*"(?:length|content_filter)"/;

/**
 * Whether a limit or a filter cut an answer of OpenAI's format short, in one piece or as events: such an answer would be given to everyone who asks later.
 */
export function isCutShort(body: Buffer): boolean {
  for (let at = body.indexOf(REASON); at >= 0; at = body.indexOf(REASON, at + REASON.length)) {
    const from = at + REASON.length;
    if (CUT_SHORT.test(body.toString("latin1", from, from + REASON_BYTES))) return true;
  }
  return false;
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
