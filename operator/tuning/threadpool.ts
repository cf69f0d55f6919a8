/**
 * F18: size of libuv's pool for file, DNS lookup, zlib and crypto work: twice the CPU limit, between 4 (libuv's default) and 64.
 * Always written, since text that is no number makes libuv fall back to a single thread.
 */
export function threadpoolSize(cpuLimit: number): number {
  return Math.min(64, Math.max(4, Math.ceil(2 * cpuLimit - 1e-9)));
}
