import { finished, type Readable } from "node:stream";

/** So much may wait to be read; then the connection waits. */
const HELD_BYTES = 64 * 1024;

/**
 * What a stream brings, in the pieces in which it comes, as many at a time as have come. Iterating over the stream itself would join these into a new buffer
 * each time: of a list of a hundred megabytes that is another copy, and much of the garbage.
 *
 * Guarantees: what came before an error or the end is handed out first. Ending the iteration early destroys the stream. While more waits than 64 KiB the
 * stream is paused.
 * @throws what the stream failed with, or an Error when it closed, now or before, without having ended
 */
export async function* piecesOf(stream: Readable): AsyncGenerator<readonly Uint8Array[]> {
  let waiting: Uint8Array[] = [];
  let held = 0;
  let end: { readonly failure?: unknown } | undefined;
  let wake = (): void => {};
  stream.on("data", (piece: Uint8Array) => {
    waiting.push(piece);
    held += piece.length;
    if (held > HELD_BYTES) stream.pause();
    wake();
  });
  // Tells of a stream too that had ended or was destroyed before anybody listened, and goes on to listen for errors.
  finished(stream, { writable: false }, (failure) => {
    end = failure ? { failure } : {};
    wake();
  });
  try {
    for (;;) {
      if (waiting.length > 0) {
        const batch = waiting;
        waiting = [];
        held = 0;
        yield batch;
        if (stream.isPaused()) stream.resume();
      } else if (end) {
        if ("failure" in end) throw end.failure;
        return;
      } else {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    }
  } finally {
    stream.destroy();
  }
}
