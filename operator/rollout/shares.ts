import type { RevisionFacts } from "./types.ts";

/** Percent of the ready pods behind a Service that each of its revisions has; 0 for all where none is ready. */
export function podShares(
  selected: readonly string[],
  revisions: Readonly<Record<string, RevisionFacts>>,
): Record<string, number> {
  const ready = selected.map((revision) => revisions[revision]?.ready ?? 0);
  const all = ready.reduce((sum, pods) => sum + pods, 0);
  return Object.fromEntries(
    selected.map((revision, index) => [revision, all === 0 ? 0 : (100 * (ready[index] ?? 0)) / all]),
  );
}

/** "9.1%": one decimal, none where it is whole. */
export const shareText = (percent: number): string => `${Number(percent.toFixed(1))}%`;
