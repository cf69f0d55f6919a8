/** Bytes that say how long what follows is. */
const LENGTH_BYTES = 4;
/** Most frames are shorter. */
const USUAL_BYTES = 16 * 1024;

/**
 * Takes pieces of a stream in which each frame is preceded by its length, in four bytes with the highest first, and hands out the frames that a piece
 * completes.
 *
 * Caveats: a frame holds until the next one is asked for. One that came in several pieces is put together in a buffer that is used again: thousands of
 * frames of some kilobytes would be most of the garbage of a long list.
 * @param limit longest frame, in bytes
 * @returns a function of the next piece; what it returns has to be read to its end, and throws RangeError at a frame that is longer
 */
export function createFrames(limit: number): (piece: Uint8Array) => Generator<Buffer> {
  /** Holds what has come of the length or the frame that has begun. */
  let begun = Buffer.allocUnsafeSlow(USUAL_BYTES);
  let held = 0;
  let wanted = LENGTH_BYTES;
  let isLength = true;

  return function* (piece) {
    let at = 0;
    const take = (bytes: number): void => {
      begun.set(piece.subarray(at, at + bytes), held);
      held += bytes;
      at += bytes;
    };
    while (held + piece.length - at >= wanted) {
      let whole: Buffer;
      if (held === 0) {
        whole = Buffer.from(piece.buffer, piece.byteOffset + at, wanted);
        at += wanted;
      } else {
        take(wanted - held);
        whole = begun.subarray(0, wanted);
        held = 0;
      }
      if (isLength) {
        wanted = whole.readUInt32BE(0);
        if (wanted > limit) throw new RangeError(`a watch event is longer than ${limit} bytes`);
        if (wanted > begun.length) begun = Buffer.allocUnsafeSlow(wanted);
      } else {
        wanted = LENGTH_BYTES;
        yield whole;
      }
      isLength = !isLength;
    }
    take(piece.length - at);
  };
}
