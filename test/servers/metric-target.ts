import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { LATENCY_BOUNDS_SECONDS } from "../../contract/histograms.ts";
import { METRICS } from "../../contract/metrics.ts";

/** What one call of `serve` counts. */
export interface Served {
  readonly requests: number;
  /** Of these, failed by the bridge's own fault. Default 0. */
  readonly errors?: number;
  /** Seconds each took to the first byte. Default 0.01. */
  readonly seconds?: number;
  readonly cache?: "hit" | "miss";
}

/** A page of a bridge's counters, kept by hand: a test knows exactly what it showed. */
export interface MetricTarget {
  readonly port: number;
  readonly pod: string;
  readonly revision: string;
  serve(served: Served): void;
  /** Further lines of the page, complete but for the labels bridge and revision; undefined takes a line away. */
  set(series: string, value: number | undefined): void;
  /** Counters begin at 0 again, as in a new process. */
  restart(): void;
  /** When the process says that it started, Unix seconds. */
  startedSeconds: number;
  /** Scrapes fail while true. */
  failing: boolean;
  /** What every counter shows in the place of its number. */
  shows: "NaN" | "+Inf" | "-Inf" | undefined;
  /** Resolves when the page as it is now has been scraped. */
  scraped(): Promise<void>;
  close(): Promise<void>;
}

export interface MetricTargetOptions {
  readonly pod: string;
  readonly bridge: string;
  readonly revision: string;
}

interface Counts {
  requests: number;
  errors: number;
  buckets: number[];
}

export async function startMetricTarget(options: MetricTargetOptions): Promise<MetricTarget> {
  const own = `bridge="${options.bridge}",revision="${options.revision}"`;
  const extra = new Map<string, number>();
  let counts: Record<"hit" | "miss", Counts>;
  let waiting: (() => void)[] = [];

  const begin = () => {
    const none = () => ({ requests: 0, errors: 0, buckets: LATENCY_BOUNDS_SECONDS.map(() => 0) });
    counts = { hit: none(), miss: none() };
  };
  begin();

  const page = (shown: MetricTarget["shows"]): string => {
    const value = (count: number) => shown ?? String(count);
    const lines = [
      `process_start_time_seconds{${own}} ${target.startedSeconds}`,
      `${METRICS.errors}{${own},route="chat",domain="bridge"} ${value(counts.hit.errors + counts.miss.errors)}`,
      `${METRICS.errors}{${own},route="chat",domain="upstream"} ${value(1000)}`,
    ];
    for (const cache of ["hit", "miss"] as const) {
      const labels = `${own},route="chat",cache="${cache}"`;
      const { requests, buckets } = counts[cache];
      lines.push(`${METRICS.requests}{${labels}} ${value(requests)}`);
      for (const [index, bound] of LATENCY_BOUNDS_SECONDS.entries()) {
        lines.push(
          `${METRICS.firstByteSeconds}_bucket{${labels},le="${bound}"} ${value(buckets[index] ?? 0)}`,
        );
      }
      lines.push(`${METRICS.firstByteSeconds}_bucket{${labels},le="+Inf"} ${value(requests)}`);
      lines.push(`${METRICS.firstByteSeconds}_count{${labels}} ${value(requests)}`);
      lines.push(`${METRICS.firstByteSeconds}_sum{${labels}} 0`);
    }
    for (const [series, count] of extra) lines.push(`${series.replace("{", `{${own},`)} ${count}`);
    const histogram = `# TYPE ${METRICS.firstByteSeconds} histogram`;
    return `${histogram}\n${lines.sort().join("\n")}\n`;
  };

  const target: MetricTarget = {
    port: 0,
    pod: options.pod,
    revision: options.revision,
    failing: false,
    shows: undefined,
    serve({ requests, errors = 0, seconds = 0.01, cache = "miss" }) {
      const own = counts[cache];
      own.requests += requests;
      own.errors += errors;
      own.buckets = own.buckets.map((count, index) =>
        seconds <= (LATENCY_BOUNDS_SECONDS[index] ?? 0) ? count + requests : count,
      );
    },
    set(series, value) {
      if (value === undefined) extra.delete(series);
      else extra.set(series, value);
    },
    startedSeconds: Math.round(Date.now() / 1000),
    restart() {
      begin();
      target.startedSeconds = Math.max(target.startedSeconds + 1, Math.round(Date.now() / 1000));
    },
    scraped: () => new Promise<void>((resolve) => waiting.push(resolve)),
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  const server = createServer((_request, response) => {
    if (target.failing) {
      response.writeHead(500).end();
      return;
    }
    const shown = waiting;
    waiting = [];
    response.writeHead(200, { "content-type": "text/plain; version=0.0.4" });
    response.end(page(target.shows), () => {
      for (const resolve of shown) resolve();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return Object.assign(target, { port: (server.address() as AddressInfo).port });
}
