import { Gauge, type GaugeConfiguration } from "prom-client";

type Shown<L extends string> = Awaited<ReturnType<Gauge<L>["get"]>>;
/** One series of a gauge: its labels and its value. */
export type Series<L extends string = string> = Shown<L>["values"][number];

/**
 * A gauge whose series are made for each scrape and kept by nobody. prom-client holds two objects and a long key for every series, and a thousand
 * bridges have tens of thousands of them.
 */
export class ComputedGauge<L extends string = string> extends Gauge<L> {
  readonly #series: () => Iterable<Series<L>>;

  constructor(configuration: GaugeConfiguration<L>, series: () => Iterable<Series<L>>) {
    super(configuration);
    this.#series = series;
  }

  override async get(): Promise<Shown<L>> {
    return { ...(await super.get()), values: [...this.#series()] };
  }
}
