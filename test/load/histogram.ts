/** Milliseconds at given percentages. */
export interface Percentiles {
  readonly count: number;
  readonly p50: number;
  readonly p90: number;
  readonly p95: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
}

const GROWTH = Math.log(1.02);
/** Up to 0.01 ms x 1.02^1200, which is more than a day. */
const BUCKETS = 1_200;
const SMALLEST_MS = 0.01;

/** Counts durations in buckets that grow by 2 %, so that percentiles are right to 2 % at any size and for any count. */
export class Histogram {
  readonly #counts = new Uint32Array(BUCKETS);
  #count = 0;
  #max = 0;

  add(ms: number): void {
    const bucket = Math.floor(Math.log(Math.max(ms, SMALLEST_MS) / SMALLEST_MS) / GROWTH);
    const index = Math.min(BUCKETS - 1, bucket);
    this.#counts[index] = (this.#counts[index] ?? 0) + 1;
    this.#count += 1;
    this.#max = Math.max(this.#max, ms);
  }

  /** Upper bound of the bucket that holds the quantile; 0 where nothing was counted. */
  quantile(q: number): number {
    let left = Math.ceil(q * this.#count);
    for (const [index, count] of this.#counts.entries()) {
      left -= count;
      if (left <= 0 && this.#count > 0)
        return Math.min(this.#max, SMALLEST_MS * Math.exp((index + 1) * GROWTH));
    }
    return 0;
  }

  percentiles(): Percentiles {
    const at = (q: number) => Math.round(this.quantile(q) * 100) / 100;
    return {
      count: this.#count,
      p50: at(0.5),
      p90: at(0.9),
      p95: at(0.95),
      p99: at(0.99),
      p999: at(0.999),
      max: Math.round(this.#max * 100) / 100,
    };
  }
}
