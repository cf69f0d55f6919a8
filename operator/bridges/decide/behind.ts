import type { CountedIntervals } from "../../prometheus/source.ts";

/** A new pod is found and scraped within this; evidence is not called missing sooner. */
const GRACE_MS = 2 * 60_000;
/** The same where intervals are long, and scrapes with them. */
const GRACE_INTERVALS = 3;

/** Status has room for a sentence. */
const MOST_NAMES = 3;

/**
 * Why what is counted up to `throughMs` is not evidence about now, if so: what could be read long since is not counted, because ready pods have no
 * samples or because there is more than one call reads. What was proved by then says nothing of what went on since.
 */
export function whyBehind(
  { readableMs, waitingFor }: CountedIntervals,
  throughMs: number,
  intervalMs: number,
): string | undefined {
  if (readableMs - throughMs <= Math.max(GRACE_MS, GRACE_INTERVALS * intervalMs)) return undefined;
  if (waitingFor.length === 0) return "Samples of some time ago are still being counted.";
  const names = waitingFor.toSorted().slice(0, MOST_NAMES).join(", ");
  return `Ready pods without samples: ${names}${waitingFor.length > MOST_NAMES ? " and others" : ""}.`;
}
