/**
 * The candidate that a person most likely meant, or undefined when none is near: case and separators are ignored, then at most a third of
 * the characters may differ.
 */
export function didYouMean(written: string, candidates: readonly string[]): string | undefined {
  const plain = (text: string) => text.toLowerCase().replaceAll(/[-_.]/g, "");
  const ranked = candidates
    .map((candidate) => ({ candidate, distance: editDistance(plain(written), plain(candidate)) }))
    .sort((a, b) => a.distance - b.distance);
  const best = ranked[0];
  return best && best.distance <= Math.max(1, Math.floor(written.length / 3)) ? best.candidate : undefined;
}

/** Optimal string alignment: a pair of neighbours that changed places counts as one. */
function editDistance(a: string, b: string): number {
  let beforeLast: readonly number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitute = (last[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swapped = a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const swap = swapped ? (beforeLast[j - 2] ?? Number.POSITIVE_INFINITY) + 1 : Number.POSITIVE_INFINITY;
      row.push(Math.min(substitute, (last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, swap));
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length] ?? 0;
}
