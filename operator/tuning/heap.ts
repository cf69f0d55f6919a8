/** What the heap of one isolate is computed from. All sizes in MiB, whole. */
export interface HeapInput {
  /** Memory limit of the container. */
  memoryMiB: number;
  /** Worker threads; each is an isolate beside the main one. */
  workers: number;
  /** Bytes of the in-memory cache, rounded up: answers are Buffers, which no heap limit sees. */
  cacheMiB: number;
}

/** No isolate is given less; below it start-up alone collects all the time. */
export const LEAST_HEAP_MIB = 64;

/** Off-heap budget without the cache: sockets, streams, compression; never less than this. */
const LEAST_OFF_HEAP_MIB = 32;

/** A bare process (40-44 MiB measured) and each idle worker thread (8-12 MiB measured) besides their heaps. */
export function processMiB(workers: number): number {
  return 45 + 12 * workers;
}

/** X of F1: max(32, 10 % of the limit) for buffers, and the cache. */
export function offHeapMiB(memoryMiB: number, cacheMiB: number): number {
  return Math.max(LEAST_OFF_HEAP_MIB, memoryMiB / 10) + cacheMiB;
}

/**
 * F1: heap of each isolate, young generation included: floor((0.90 M - B - X) / I) with I = 1 + workers.
 * Every isolate gets the full value, because a process-wide heap flag overrides the limits of worker threads
 * (nodejs/node#43991). May be below LEAST_HEAP_MIB or negative: then the plan does not fit.
 */
export function heapPerIsolateMiB({ memoryMiB, workers, cacheMiB }: HeapInput): number {
  const tenths =
    9 * memoryMiB - 10 * processMiB(workers) - Math.max(10 * LEAST_OFF_HEAP_MIB, memoryMiB) - 10 * cacheMiB;
  return Math.floor(tenths / (10 * (1 + workers)));
}

/**
 * The largest heap a user may set by hand: as F1, but 0.95 M and the least off-heap budget. A heap of 80 % of 512 MiB, which
 * this allows with one isolate and no cache, was measured to end in V8's own message at 92-96 % of the limit; more
 * risks the kernel's silent kill.
 */
export function heapCeilingMiB({ memoryMiB, workers, cacheMiB }: HeapInput): number {
  const twentieths = 19 * memoryMiB - 20 * (processMiB(workers) + LEAST_OFF_HEAP_MIB + cacheMiB);
  return Math.floor(twentieths / (20 * (1 + workers)));
}

/** The least memory limit for which F1 leaves LEAST_HEAP_MIB to each isolate. */
export function leastMemoryMiB(workers: number, cacheMiB: number): number {
  const fixed = (1 + workers) * LEAST_HEAP_MIB + processMiB(workers) + cacheMiB;
  const small = ((fixed + LEAST_OFF_HEAP_MIB) * 10) / 9;
  return Math.ceil(small <= 10 * LEAST_OFF_HEAP_MIB ? small : (fixed * 10) / 8);
}
