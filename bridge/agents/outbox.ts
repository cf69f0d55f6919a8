/** Messages that may wait to be sent; then whoever makes them is paused. */
export const QUEUE_LENGTH = 100;

/** Messages that are kept after they were sent, to be sent again on a new connection. */
export const HISTORY_LENGTH = 50;

interface Numbered {
  readonly offset: number;
  readonly text: string;
}

/**
 * The messages of one session in order: those sent lately, and those that wait. Offsets count from 1 within an epoch.
 * Never drops what was not sent: `full` says when the makers must pause, and then it holds QUEUE_LENGTH + HISTORY_LENGTH. What cannot
 * pause, the session limits.
 */
export class Outbox {
  readonly epoch: string;
  /** Sent messages first; `#next` is the index of the first that waits. */
  readonly #messages: Numbered[] = [];
  #next = 0;
  #offset = 0;
  #acknowledged: number | undefined;

  constructor(epoch: string) {
    this.epoch = epoch;
  }

  /** Offset of the last message made. */
  get offset(): number {
    return this.#offset;
  }

  get waiting(): number {
    return this.#messages.length - this.#next;
  }

  get full(): boolean {
    return this.waiting >= QUEUE_LENGTH;
  }

  /** @param fields The message's own fields as JSON, without braces. */
  push(fields: string): void {
    this.#offset++;
    const text = `{${fields},"epoch":"${this.epoch}","offset":${this.#offset}}`;
    this.#messages.push({ offset: this.#offset, text });
  }

  /** Everything up to `offset` has arrived; from the first time on, at most HISTORY_LENGTH messages are unacknowledged. */
  acknowledge(offset: number): void {
    if (offset > this.#offset) return;
    this.#acknowledged = Math.max(this.#acknowledged ?? 0, offset);
  }

  /** The next message to send; it becomes history. Undefined where none waits or too many are unacknowledged. */
  take(): string | undefined {
    const message = this.#messages[this.#next];
    if (message === undefined) return undefined;
    if (this.#acknowledged !== undefined && message.offset - this.#acknowledged > HISTORY_LENGTH)
      return undefined;
    this.#next++;
    if (this.#next > HISTORY_LENGTH) {
      this.#messages.shift();
      this.#next--;
    }
    return message.text;
  }

  /**
   * Puts everything after `offset` back to wait.
   * @returns false when something after it is no longer there, or was never made.
   */
  rewind(offset: number): boolean {
    const oldest = this.#messages[0]?.offset ?? this.#offset + 1;
    if (offset > this.#offset || offset < oldest - 1) return false;
    this.#next = offset - oldest + 1;
    if (this.#acknowledged !== undefined) this.acknowledge(offset);
    return true;
  }
}
