/**
 * The one ladder of latency bounds, in seconds, that every duration histogram of the bridge uses.
 * It is fixed so that editing a gate never changes a pod: an objective between two bounds is judged at the lower one.
 * Dense where objectives are usually put (20 ms to 2 s).
 */
export const LATENCY_BOUNDS_SECONDS = [
  0.001, 0.002, 0.003, 0.005, 0.01, 0.02, 0.03, 0.04, 0.05, 0.06, 0.08, 0.1, 0.12, 0.15, 0.2, 0.25, 0.3, 0.4,
  0.5, 0.6, 0.8, 1, 1.2, 1.5, 2, 2.5, 3, 5, 10, 20, 30, 60, 120, 300, 600,
] as const;

/** The bound at which an objective is really judged: the greatest bound not above it (milliseconds in, seconds out), or undefined below the first. */
export function boundAtOrBelow(objectiveMs: number): number | undefined {
  return LATENCY_BOUNDS_SECONDS.findLast((bound) => bound * 1000 <= objectiveMs + 1e-9);
}

/** A bound as Prometheus writes it in an `le` label. */
export function leLabel(boundSeconds: number): string {
  return String(boundSeconds);
}
