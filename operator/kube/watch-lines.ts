/** Longest event of a watch that is accepted: etcd refuses objects above 1.5 MiB, and managedFields may double that. */
export const MAX_EVENT_BYTES = 8 * 1024 * 1024;

/**
 * Splits a byte stream into lines of JSON and parses each. An unfinished last line is dropped: the server ends every event with a
 * newline, so it was cut.
 * @throws Error on a line that is not JSON or longer than MAX_EVENT_BYTES; the watch then has to start again
 */
export async function* parseLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<unknown> {
  let rest: Uint8Array[] = [];
  let restBytes = 0;
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(10, start); end >= 0; end = chunk.indexOf(10, start)) {
      rest.push(chunk.subarray(start, end));
      const line = rest.length === 1 && rest[0] ? rest[0] : Buffer.concat(rest);
      rest = [];
      restBytes = 0;
      start = end + 1;
      if (line.length > 0)
        yield JSON.parse(Buffer.from(line.buffer, line.byteOffset, line.length).toString("utf8"));
    }
    if (start < chunk.length) {
      rest.push(chunk.subarray(start));
      restBytes += chunk.length - start;
      if (restBytes > MAX_EVENT_BYTES)
        throw new Error(`a watch event is longer than ${MAX_EVENT_BYTES} bytes`);
    }
  }
}
