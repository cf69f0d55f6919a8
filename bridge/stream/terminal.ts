/** Bytes at the end of a stream that are kept: the terminal event and a chunk with usage before it. */
const TAIL_BYTES = 1024;

/** The terminal event, at the start of a line and with nothing but blanks after it. The space is optional (HTML, "Event stream interpretation"). */
const DONE = /(?:^|[\r\n])data: ?\[DONE\]\s*$/;

/** How some servers end a stream in which they failed, beside an `error` in its last chunk. */
const FAILED = /"finish_reason"\s*:\s*"error"/;

/**
 * Watches the end of a stream that is passed through unparsed: whether the terminal event came, and the last bytes for
 * whoever wants the usage in them. Copies a few bytes and allocates nothing per chunk.
 */
export class StreamTail {
  readonly #ring = Buffer.allocUnsafe(TAIL_BYTES);
  #at = 0;
  #full = false;

  /** Every chunk, in order. */
  push(chunk: Buffer): void {
    if (chunk.length >= TAIL_BYTES) {
      chunk.copy(this.#ring, 0, chunk.length - TAIL_BYTES);
      this.#at = 0;
      this.#full = true;
      return;
    }
    const room = TAIL_BYTES - this.#at;
    chunk.copy(this.#ring, this.#at, 0, Math.min(room, chunk.length));
    if (chunk.length >= room) {
      chunk.copy(this.#ring, 0, room);
      this.#full = true;
      this.#at = chunk.length - room;
    } else {
      this.#at += chunk.length;
    }
  }

  /** The last bytes as text; a character cut in two at its start is replaced. */
  text(): string {
    if (!this.#full) return this.#ring.toString("utf8", 0, this.#at);
    return Buffer.concat([this.#ring.subarray(this.#at), this.#ring.subarray(0, this.#at)]).toString();
  }

  /** Whether the stream ended with its terminal event. */
  get complete(): boolean {
    return DONE.test(this.text());
  }

  /** Whether its last chunks say that the model stopped because of an error. */
  get failed(): boolean {
    return FAILED.test(this.text());
  }
}
