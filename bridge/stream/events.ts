import { StringDecoder } from "node:string_decoder";

/** Most text that is held while an event is not complete, in UTF-16 units. */
const MAX_EVENT_LENGTH = 8 * 1024 * 1024;

const LINE_END = /\r\n|\n|\r(?!$)/g;

/**
 * Reads server-sent events (HTML, "Interpreting an event stream"): LF, CRLF and CR, a byte-order mark, comments, data over
 * several lines, characters and line ends cut between two chunks. Gives the data of each event when it is asked for, so that the
 * reader decides how many it takes.
 */
export class EventReader {
  readonly #decoder = new StringDecoder("utf8");
  #text = "";
  #at = 0;
  #data: string[] = [];
  #begun = false;

  /** @throws RangeError when one event is longer than 8 Mi characters. */
  push(chunk: Buffer): void {
    let text = this.#decoder.write(chunk);
    if (!this.#begun && text !== "") {
      this.#begun = true;
      if (text.startsWith("\ufeff")) text = text.slice(1);
    }
    this.#text = this.#text.slice(this.#at) + text;
    this.#at = 0;
    if (this.#text.length > MAX_EVENT_LENGTH) throw new RangeError("an event is longer than 8 Mi characters");
  }

  /** The stream has ended: what came of a last event is one, for servers that leave out the blank line after it. */
  flush(): void {
    this.#text = `${this.#text.slice(this.#at)}${this.#decoder.end()}\n\n`;
    this.#at = 0;
  }

  /** The data of the next complete event; undefined where more bytes are needed. */
  next(): string | undefined {
    for (;;) {
      LINE_END.lastIndex = this.#at;
      const end = LINE_END.exec(this.#text);
      if (end === null) return undefined;
      const line = this.#text.slice(this.#at, end.index);
      this.#at = LINE_END.lastIndex;
      if (line === "") {
        if (this.#data.length === 0) continue;
        const data = this.#data.join("\n");
        this.#data = [];
        return data;
      }
      if (line.startsWith("data:")) this.#data.push(line.slice(line[5] === " " ? 6 : 5));
    }
  }
}
