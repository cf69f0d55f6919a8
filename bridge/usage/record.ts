import type { CacheLabel, RouteLabel } from "../../contract/metrics.ts";

/** What one request used. */
export interface UsageRecord {
  readonly tenant: string;
  readonly route: RouteLabel;
  /** The model as the caller named it. */
  readonly model: string;
  readonly upstream: string;
  readonly promptTokens: number;
  readonly completionTokens: number;
  /** HTTP status sent to the client; 499 where it went away. */
  readonly status: number;
  readonly durationMs: number;
  readonly cache: CacheLabel;
}

/** A record with the time at which it was made. */
export interface TimedRecord extends UsageRecord {
  /** Milliseconds since the epoch. */
  readonly atMs: number;
}

/** Records that are written, and retried, as one statement. */
export interface Batch {
  /** UUID; with the row's number it is the primary key, so that a retry after a lost reply writes nothing twice. */
  readonly id: string;
  readonly records: readonly TimedRecord[];
}
