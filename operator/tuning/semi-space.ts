/** Largest semi-space by objective: beyond 16 MiB throughput gains 5-10 % and the loop-delay p99 grows by 14-84 % (measured). */
const LARGEST_MIB = { Latency: 16, Throughput: 64 } as const;
const LEAST_MIB = 4;
/** What the old space keeps at least. V8 aborts at start when three semi-spaces fill the heap. */
const LEAST_OLD_SPACE_MIB = 32;

/** The young generation takes three semi-spaces: the heap limit is the old space plus this, exactly (measured on Node 20-26). */
export function youngGenerationMiB(semiSpaceMiB: number): number {
  return 3 * semiSpaceMiB;
}

/**
 * F2: the largest power of two whose young generation takes at most a tenth of the isolate's part of the memory limit,
 * between 4 and 16 MiB (Latency) or 64 MiB (Throughput). Always written, since Node's default moves with version and limit.
 */
export function semiSpaceMiB(
  memoryMiB: number,
  workers: number,
  objective: "Latency" | "Throughput",
): number {
  const tenth = memoryMiB / (1 + workers) / 10;
  let size: number = LEAST_MIB;
  while (size < LARGEST_MIB[objective] && youngGenerationMiB(size * 2) <= tenth) size *= 2;
  return size;
}

/** What V8 makes of a written semi-space: the next power of two. */
export function roundedSemiSpaceMiB(writtenMiB: number): number {
  return 2 ** Math.ceil(Math.log2(writtenMiB));
}

/** The largest semi-space that leaves an old space to work with in a heap of this size. */
export function largestSemiSpaceMiB(heapMiB: number): number {
  const room = Math.floor((heapMiB - LEAST_OLD_SPACE_MIB) / 3);
  return room < 1 ? 0 : 2 ** Math.floor(Math.log2(room));
}

/** The semi-space, or where a large cache has left the heap little, what leaves an old space to work with. */
export const semiSpaceWithin = (heapMiB: number, wantedMiB: number): number =>
  Math.max(LEAST_MIB, Math.min(wantedMiB, largestSemiSpaceMiB(heapMiB)));
