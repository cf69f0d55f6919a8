import type { Series } from "./response.ts";

/** Samples of times to come are looked for so far ahead: a clock that is further ahead has samples there as well. Some sources refuse more. */
export const LOOK_AHEAD_MS = 120_000;
/** So much may pass between the moment that a question is for and its answer, and clocks may be so far apart without harm. */
const CLOCKS_APART_MS = 30_000;
/** Older samples are looked for here when there are none of now. */
export const LOOK_BEHIND_MS = 600_000;

export const AHEAD =
  "The newest samples of this bridge carry a time that is still to come: the clock of what scrapes it is ahead of the operator's, and what it tells of now is old; set both clocks.";
export const BEHIND =
  "The newest samples of this bridge are older than two scrapes: its pods are not scraped any more, samples take longer than the `lag` of the source says, or the clock of what scrapes them is behind the operator's.";

/** Of pods that have ended old samples are all there can be. */
export const NONE_OF_PRESENT =
  "The metric source has samples of pods of this bridge that have ended, and none of those that it has now.";

/** Whether a sample carries a time that cannot have come yet, where clocks agree. */
export const isAhead = (series: readonly Series[], atMs: number): boolean =>
  series.some(({ samples }) => (samples.at(-1)?.atMs ?? 0) > atMs + CLOCKS_APART_MS);

/** Without what carries a later time. */
export const upTo = (series: readonly Series[], atMs: number): Series[] =>
  series
    .map(({ labels, samples }) => ({ labels, samples: samples.filter((one) => one.atMs <= atMs) }))
    .filter(({ samples }) => samples.length > 0);
