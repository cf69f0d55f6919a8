/**
 * Decides which requests a share falls on: evenly spread instead of by chance, so that a share of 0.05 is every twentieth
 * request and two runs are alike.
 */
export class EvenShare {
  #owed = 0;

  /** Whether the next one is hit. */
  next(share: number): boolean {
    this.#owed += share;
    // The sum of many small shares falls short of 1 by rounding.
    if (this.#owed < 1 - 1e-9) return false;
    this.#owed -= 1;
    return true;
  }
}
