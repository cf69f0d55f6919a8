/** Largest answer that is held to be compressed, stored or counted, in bytes; a larger one is passed through as it comes. */
export const HOLD_BYTES = 8 * 1024 * 1024;

/** The pieces of an answer that something needs as a whole. */
export class HeldAnswer {
  #pieces: Buffer[] = [];
  #bytes = 0;

  /** Bytes of all pieces that were held, those that were given away included. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Whether the answer has grown beyond what is held. */
  get tooLarge(): boolean {
    return this.#bytes > HOLD_BYTES;
  }

  push(piece: Buffer): void {
    this.#bytes += piece.length;
    this.#pieces.push(piece);
  }

  /** The pieces, which are no longer held then. */
  release(): readonly Buffer[] {
    const pieces = this.#pieces;
    this.#pieces = [];
    return pieces;
  }

  /** The answer in one piece, which goes on being held. */
  whole(): Buffer {
    if (this.#pieces.length !== 1) this.#pieces = [Buffer.concat(this.#pieces)];
    return this.#pieces[0] ?? Buffer.alloc(0);
  }
}
