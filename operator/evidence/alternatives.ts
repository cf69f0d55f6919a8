import { type Margins, most, required, tolerated } from "./config.ts";
import type { Tally } from "./state.ts";

/** Odds of the canary over the odds at the boundary of the null: what "worse" may look like, from half again to a dead version. */
const WORSE_ODDS = [1.5, 2, 3, 5, 10, 30, 150, 1000] as const;
/** Their shares of the mixture. Most goes to what takes long to be seen; a dead version is seen at once, whatever its share. */
const WORSE_SHARES = [0.28, 0.28, 0.2, 0.12, 0.06, 0.03, 0.02, 0.01] as const;
/** Share of the margin that a good canary may use up, and how it may even be better than stable. */
const BELOW_SHARES = [0.5, 0.25, 0] as const;
const BETTER_FACTOR = 0.5;

const LEAST_RATE = 1e-5;
const MOST_RATE = 1 - 1e-3;
const clamp = (rate: number) => Math.min(MOST_RATE, Math.max(LEAST_RATE, rate));

/** What is thought of a version nothing is known of: half a bad request in this many. A wrong guess costs speed, never validity. */
const PRIOR_REQUESTS = 100;

/** Stable's rate as the next interval is expected to show it: recent counts, with half an error that has not been seen yet. */
export function expectedRate(recent: Tally): number {
  return clamp((recent.bad + 0.5) / (recent.requests + PRIOR_REQUESTS));
}

/** Canary rates that would be worse than the margin allows; fixed before the interval is seen. */
export function worseRates(stableRate: number, margins: Margins): number[] {
  const boundary = clamp(most(tolerated(margins), stableRate));
  const odds = boundary / (1 - boundary);
  return WORSE_ODDS.map((factor) => clamp((odds * factor) / (1 + odds * factor)));
}

/** Canary rates that would be good enough. */
export function belowRates(stableRate: number, margins: Margins): number[] {
  const margin = most(required(margins), stableRate) - stableRate;
  const rates = BELOW_SHARES.map((part) => clamp(stableRate + part * margin));
  return [...rates, clamp(stableRate * BETTER_FACTOR)];
}

/** Logarithm of what an alternative of `worseRates` has of the mixture. */
export function logWorseShare(index: number): number {
  return Math.log(WORSE_SHARES[index] ?? 0);
}
export const BELOW_COUNT = BELOW_SHARES.length + 1;
