const NEWLINE = 0x0a;
const SPACE = 0x20;
const BRACE = 0x7b;
const DATA = Buffer.from("data:");
const EVENT = Buffer.from("event:");
const ERROR_FIELD = Buffer.from('"error"');
const DECLARES_ERROR = /^\s*\{\s*"error"\s*:\s*[^\sn]/;

/** Bytes at the start of a line that tell what the line is. */
const START_BYTES = 64;

/**
 * Counts the events of a stream that is passed through unparsed and sees whether one reports an error, wherever its chunks are cut. Events of OpenAI's API have one line of data
 * each, and lines end in LF or CRLF. Looks at the start of each line and allocates nothing per chunk.
 */
export class EventTally {
  #events = 0;
  #failed = false;
  /** The start of a line that a chunk's end cut. */
  readonly #start = Buffer.allocUnsafe(START_BYTES);
  #startBytes = 0;
  /** What the line is, is known: the rest of it does not matter. */
  #judged = false;

  /** Events so far, the terminal one included; where a model sends each token in an event of its own, about the number of tokens. */
  get events(): number {
    return this.#events;
  }

  /** Whether an event reported an error: servers that end such a stream with the terminal event would pass for well otherwise. */
  get failed(): boolean {
    return this.#failed;
  }

  /** Every chunk, in order. */
  push(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length) {
      const newline = chunk[at] === NEWLINE ? at : chunk.indexOf(NEWLINE, at);
      if (!this.#judged) this.#look(chunk, at, newline);
      if (newline === -1) return;
      this.#judged = false;
      this.#startBytes = 0;
      at = newline + 1;
    }
  }

  /** @param newline Where the line ends in this chunk; -1: in a later one. */
  #look(chunk: Buffer, from: number, newline: number): void {
    const to = newline === -1 ? chunk.length : newline;
    if (this.#startBytes === 0 && (newline !== -1 || to - from >= START_BYTES)) {
      this.#judge(chunk, from, to);
      return;
    }
    this.#startBytes += chunk.copy(this.#start, this.#startBytes, from, to);
    if (newline !== -1 || this.#startBytes === START_BYTES) this.#judge(this.#start, 0, this.#startBytes);
  }

  #judge(bytes: Buffer, from: number, to: number): void {
    this.#judged = true;
    if (holds(bytes, from, to, DATA)) {
      this.#events++;
      if (declaresError(bytes, from + DATA.length, to)) this.#failed = true;
    } else if (holds(bytes, from, to, EVENT)) {
      if (bytes.toString("latin1", from + EVENT.length, to).trim() === "error") this.#failed = true;
    }
  }
}

/** Whether JSON begins as an error of OpenAI's API does: an object whose first field is an `error` that is not null. */
export const textDeclaresError = (json: string): boolean => DECLARES_ERROR.test(json);

/**
 * The same of bytes. Only what begins so far like one is made a text, which most never does.
 * @param to Where to stop; some tens of bytes are enough.
 */
export function declaresError(bytes: Buffer, from: number, to: number): boolean {
  const brace = skipBlank(bytes, from, to);
  if (bytes[brace] !== BRACE) return false;
  const field = skipBlank(bytes, brace + 1, to);
  if (!holds(bytes, field, to, ERROR_FIELD)) return false;
  const end = Math.min(to, field + ERROR_FIELD.length + START_BYTES);
  return textDeclaresError(bytes.toString("latin1", brace, end));
}

function skipBlank(bytes: Buffer, from: number, to: number): number {
  let at = from;
  while (at < to && (bytes[at] ?? 0) <= SPACE) at++;
  return at;
}

/** Whether bytes stand at a place; compared here, because a call of Buffer's own costs more than so few bytes. */
function holds(bytes: Buffer, from: number, to: number, wanted: Buffer): boolean {
  if (to - from < wanted.length) return false;
  for (let index = 0; index < wanted.length; index++) if (bytes[from + index] !== wanted[index]) return false;
  return true;
}
