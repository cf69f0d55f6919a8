/** What one alert remembers. */
export interface AlertTimer {
  /** The condition the times belong to: an edited alert starts anew. */
  condition: string;
  /** What the last look gave. */
  last: Look;
  /** For how long the condition has been seen to hold; time without data does not count. */
  heldMs: number;
  /** When it was last seen to hold, and since when; undefined while it does not. */
  violatedAtMs?: number | undefined;
  violatedSinceMs?: number | undefined;
  firingSinceMs?: number | undefined;
  lastActedMs?: number | undefined;
}

/** Violated: the condition holds. Met: it does not. Unknown: too little data to say. */
export type Look = "Violated" | "Met" | "Unknown";

/** Without data for longer than this, and than `for`, what was seen before says nothing about now. */
const LONGEST_GAP_MS = 120_000;

/** A timer that has seen nothing yet. */
export function newTimer(condition: string, lastActedMs?: number): AlertTimer {
  return { condition, last: "Unknown", heldMs: 0, lastActedMs };
}

/** A timer after one more look. */
export function advanceTimer(timer: AlertTimer, look: Look, forMs: number, nowMs: number): AlertTimer {
  const sinceMs = Math.max(0, nowMs - (timer.violatedAtMs ?? nowMs));
  const forgotten = sinceMs > Math.max(forMs, LONGEST_GAP_MS);
  if (look === "Met" || (look === "Unknown" && forgotten))
    return { ...newTimer(timer.condition, timer.lastActedMs), last: look };
  if (look === "Unknown") return { ...timer, last: look };
  const heldMs = timer.heldMs + (timer.last === "Violated" ? Math.min(sinceMs, LONGEST_GAP_MS) : 0);
  return {
    ...timer,
    last: look,
    heldMs,
    violatedAtMs: nowMs,
    violatedSinceMs: timer.violatedSinceMs ?? nowMs,
    firingSinceMs: timer.firingSinceMs ?? (heldMs >= forMs ? nowMs : undefined),
  };
}
