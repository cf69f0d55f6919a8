/** Longest event of a watch that is accepted: etcd refuses objects above 1.5 MiB, and managedFields may double that. */
export const MAX_EVENT_BYTES = 8 * 1024 * 1024;

/**
 * Splits a byte stream into lines of JSON and parses each. An unfinished last line is dropped: the server ends every event with a
 * newline, so it was cut.
 * @throws Error on a line that is not JSON or longer than MAX_EVENT_BYTES; the watch then has to start again
 */
export async function* parseLines(stream: AsyncIterable<readonly Uint8Array[]>): AsyncGenerator<unknown> {
  const lines = createLines();
  for await (const pieces of stream)
    for (const piece of pieces)
      for (const line of lines(piece)) if (line.length > 0) yield JSON.parse(line.toString("utf8"));
}

/** Takes pieces of a stream and hands out the lines that each completes. */
function createLines(): (piece: Uint8Array) => Generator<Buffer> {
  const begun: Buffer[] = [];
  let held = 0;
  return function* (piece) {
    const bytes = Buffer.from(piece.buffer, piece.byteOffset, piece.length);
    let start = 0;
    for (let end = bytes.indexOf(10, start); end >= 0; end = bytes.indexOf(10, start)) {
      const last = bytes.subarray(start, end);
      yield held === 0 ? last : Buffer.concat([...begun, last]);
      begun.length = 0;
      held = 0;
      start = end + 1;
    }
    if (start === bytes.length) return;
    begun.push(bytes.subarray(start));
    held += bytes.length - start;
    if (held > MAX_EVENT_BYTES) throw new Error(`a watch event is longer than ${MAX_EVENT_BYTES} bytes`);
  };
}
