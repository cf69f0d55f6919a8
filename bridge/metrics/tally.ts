import type { Counter, Histogram } from "prom-client";

/** Counts in plain numbers on a hot path, and brings them to the registry when it is scraped. */
export interface Tally {
  flush(): void;
}

/** A counter's series for a hot path: adding one costs an increment instead of hashing and checking labels. */
export class CounterTally<L extends string> implements Tally {
  readonly #counter: Counter<L>;
  readonly #labels: Partial<Record<L, string | number>>;
  #count = 0;

  constructor(counter: Counter<L>, labels: Partial<Record<L, string | number>>) {
    this.#counter = counter;
    this.#labels = labels;
    // The series exists from now on, at 0.
    counter.inc(labels, 0);
  }

  inc(): void {
    this.#count++;
  }

  flush(): void {
    if (this.#count > 0) this.#counter.inc(this.#labels, this.#count);
    this.#count = 0;
  }
}

/** How prom-client keeps a histogram's series; buckets are not cumulative here. Held to by a test. */
interface Series {
  readonly labels: Readonly<Record<string, unknown>>;
  readonly bucketValues: Record<string, number>;
  sum: number;
  count: number;
}

interface Internals {
  readonly upperBounds: readonly number[];
  readonly hashMap: Readonly<Record<string, Series>>;
}

/** A histogram's series for a hot path: an observation costs a search among the bounds. */
export class HistogramTally<L extends string> implements Tally {
  readonly #series: Series;
  readonly #bounds: Float64Array;
  readonly #keys: readonly string[];
  readonly #buckets: Float64Array;
  #sum = 0;
  #count = 0;

  constructor(histogram: Histogram<L>, labels: Partial<Record<L, string | number>>) {
    histogram.zero(labels);
    const { upperBounds, hashMap } = histogram as unknown as Internals;
    const series = Object.values(hashMap).find((candidate) =>
      Object.entries(labels).every(([name, value]) => candidate.labels[name] === value),
    );
    if (series === undefined)
      throw new Error("prom-client keeps its series in another way than this version expects");
    this.#series = series;
    this.#bounds = Float64Array.from(upperBounds);
    this.#keys = upperBounds.map(String);
    this.#buckets = new Float64Array(upperBounds.length);
  }

  observe(value: number): void {
    this.#sum += value;
    this.#count++;
    const bounds = this.#bounds;
    let index = 0;
    while (index < bounds.length && value > (bounds[index] as number)) index++;
    // Above the last bound an observation is in the sum and the count only.
    if (index < bounds.length) (this.#buckets[index] as number)++;
  }

  flush(): void {
    if (this.#count === 0) return;
    const { bucketValues } = this.#series;
    for (const [index, key] of this.#keys.entries()) {
      bucketValues[key] = (bucketValues[key] ?? 0) + (this.#buckets[index] ?? 0);
    }
    this.#series.sum += this.#sum;
    this.#series.count += this.#count;
    this.#buckets.fill(0);
    this.#sum = 0;
    this.#count = 0;
  }
}
