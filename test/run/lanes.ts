/** Suites that run one after the other on a cluster of their own. */
export interface Lane {
  readonly files: readonly string[];
  /** When the last of them ends, by what they took before. */
  readonly endsS: number;
}

/** Of a suite that was never measured. */
const USUAL_S = 60;

/**
 * Deals suites to lanes so that the lanes end together: the longest first, each to the lane that is free soonest (Graham's LPT rule, at most a third
 * longer than the best there is). Within a lane they keep this order, so that what fails late is short.
 * @param seconds what a suite took when it was measured; suites that are not in it count as a minute
 * @param count of lanes
 */
export function dealt(
  files: readonly string[],
  seconds: Readonly<Record<string, number>>,
  count: number,
): readonly Lane[] {
  const took = (file: string) => seconds[file] ?? USUAL_S;
  const lanes = Array.from({ length: count }, () => ({ files: [] as string[], endsS: 0 }));
  for (const file of files.toSorted((a, b) => took(b) - took(a) || (a < b ? -1 : 1))) {
    const soonest = lanes.reduce((best, lane) => (lane.endsS < best.endsS ? lane : best));
    soonest.files.push(file);
    soonest.endsS += took(file);
  }
  return lanes;
}
