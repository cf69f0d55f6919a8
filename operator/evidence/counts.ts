/** What evidence is made of: whole numbers of requests, counted over disjoint intervals. Never rates. */

/** errors: requests that failed by the bridge's own fault. latency: requests slower than the objective. */
export const SIGNALS = ["errors", "latency"] as const;
export type Signal = (typeof SIGNALS)[number];

/** One version in one interval. */
export interface ArmCounts {
  /** Requests that could have been bad: answers from the cache are left out, since a fresh cache is colder. */
  readonly requests: number;
  /** Those that were: errors of the bridge's own fault domain, or requests slower than the objective. */
  readonly bad: number;
  /** Pods that these requests were spread over; bursts are private to a pod. Default 1, which is the cautious reading. */
  readonly pods?: number;
}

export interface PairedCounts {
  readonly canary: ArmCounts;
  readonly stable: ArmCounts;
}

/** Both versions over one interval of a fixed grid. A signal that was not measured is absent. */
export interface IntervalCounts {
  /** End of the interval, Unix milliseconds. */
  readonly endMs: number;
  readonly signals: Readonly<Partial<Record<Signal, PairedCounts>>>;
  /** Why a signal could not be measured, as one sentence, where that is known. Default none. */
  readonly missing?: Missing;
}

/** Signals that could not be measured, and why. */
export type Missing = Readonly<Partial<Record<Signal, string>>>;

/** As a part of what is remembered, which holds nothing of it where nothing is missing. */
export const missingIn = ({
  missing = {},
}: {
  readonly missing?: Missing;
}): { readonly missing?: Missing } => (Object.keys(missing).length === 0 ? {} : { missing });

/** The stable version's past, per interval and pod; the raw material of a baseline. Pods without requests are absent. */
export interface HistoryInterval {
  readonly endMs: number;
  readonly pods: readonly { readonly pod: string; readonly counts: ArmCounts }[];
}
export type History = Readonly<Partial<Record<Signal, readonly HistoryInterval[]>>>;

/** What can be counted of a pair; undefined for what was not measured or is no count (NaN, negative, not finite). */
export function countedPair(pair: PairedCounts | undefined): PairedCounts | undefined {
  if (pair === undefined || !isCount(pair.canary) || !isCount(pair.stable)) return undefined;
  return { canary: withinRequests(pair.canary), stable: withinRequests(pair.stable) };
}

function isCount({ requests, bad }: ArmCounts): boolean {
  return Number.isFinite(requests) && Number.isFinite(bad) && requests >= 0 && bad >= 0;
}

/** A scrape can fall between the two counters of one request. */
function withinRequests(counts: ArmCounts): ArmCounts {
  return { ...counts, requests: Math.max(counts.requests, counts.bad) };
}
