import { quantityBytes } from "../scalars.ts";
import { bytesOf, isOfKind } from "./cel.ts";

/**
 * What a memory limit has room for, in CEL (over `spec`) and in TypeScript, without worker threads: a cap on those follows from the heap
 * and not the reverse. Formula F1 of the tuning: a tenth stays free, the process needs 45 MiB, buffers a tenth but at least 32 MiB.
 */
export const memoryIsKnown = `(${isOfKind("bytes", "self.resources.limits.memory")} && ${isOfKind("bytes", "self.cache.memory.maxBytes")})`;

/** Whole MiB of the limit, rounded down. */
export const memoryMiB = `int(${bytesOf("self.resources.limits.memory")} / 1048576.0)`;
/** Whole MiB of the cache, rounded up. */
export const cacheMiB = `int((${bytesOf("self.cache.memory.maxBytes")} + 1048575.0) / 1048576.0)`;
/** A heap set by hand may use 95 % of the limit and the least buffers. */
export const largestHeap = `((19 * ${memoryMiB} - 20 * (77 + ${cacheMiB})) / 20)`;

const MIB = 1_048_576;
const sizes = (memory: string, cache: string) => ({
  memory: Math.trunc(quantityBytes(memory) / MIB),
  cache: Math.trunc((quantityBytes(cache) + MIB - 1) / MIB),
});

/** The heap that F1 computes, without worker threads. */
export function computedHeapMiB(memoryText: string, cacheText: string): number {
  const { memory, cache } = sizes(memoryText, cacheText);
  return (9 * memory - 450 - Math.max(320, memory) - 10 * cache) / 10;
}

/** The largest heap that may be set by hand, without worker threads. */
export function largestHeapMiB(memoryText: string, cacheText: string): number {
  const { memory, cache } = sizes(memoryText, cacheText);
  return Math.trunc((19 * memory - 20 * (77 + cache)) / 20);
}
