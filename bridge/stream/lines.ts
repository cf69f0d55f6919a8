/** Longest line that is put together, in bytes; a longer one is an error of the sender, not a reason to fill the heap. */
const MAX_LINE_BYTES = 8 * 1024 * 1024;

const NEWLINE = 0x0a;
const RETURN = 0x0d;

/**
 * Cuts a byte stream into lines (LF or CRLF), whatever the boundaries of its chunks: a character split between two chunks
 * stays whole because bytes are joined before they are decoded.
 */
export class LineSplitter {
  #rest: Buffer[] = [];
  #restBytes = 0;

  /**
   * Lines completed by this chunk, without their endings; blank lines are left out.
   * @throws RangeError on a line above 8 MiB.
   */
  push(chunk: Buffer): string[] {
    const lines: string[] = [];
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      this.#complete(lines, chunk.subarray(start, end));
      start = end + 1;
    }
    if (start < chunk.length) {
      this.#restBytes += chunk.length - start;
      if (this.#restBytes > MAX_LINE_BYTES) throw new RangeError("a line is longer than 8 MiB");
      this.#rest.push(chunk.subarray(start));
    }
    return lines;
  }

  /** What follows the last line ending; undefined where nothing does. */
  flush(): string | undefined {
    const lines: string[] = [];
    this.#complete(lines, Buffer.alloc(0));
    return lines[0];
  }

  #complete(lines: string[], last: Buffer): void {
    let line = last;
    if (this.#rest.length > 0) {
      this.#rest.push(last);
      line = Buffer.concat(this.#rest);
      this.#rest = [];
      this.#restBytes = 0;
    }
    const end = line.at(-1) === RETURN ? line.length - 1 : line.length;
    const text = line.toString("utf8", 0, end);
    if (text.trim() !== "") lines.push(text);
  }
}
