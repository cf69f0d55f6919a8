import { heapCeilingMiB, heapPerIsolateMiB, LEAST_HEAP_MIB } from "./heap.ts";

/** What bounds the worker threads of a pod. */
export interface WorkerCapInput {
  /** spec.workers.max. */
  wanted: number;
  /** CPU limit of the container, in CPUs. */
  cpuLimit: number;
  memoryMiB: number;
  cacheMiB: number;
  /** Heap of each isolate that the user set, for so many workers; undefined: computed by F1, at least 64 MiB. */
  explicitHeapMiB: (workers: number) => number | undefined;
}

/** Which of the three bounds decided. */
export type WorkerBound = "Wanted" | "Cpu" | "Memory";

export interface WorkerCap {
  cap: number;
  bound: WorkerBound;
}

/** F17: one event loop per CPU; never from availableParallelism, which is the host's on some versions. */
export function workersForCpu(cpuLimit: number): number {
  return Math.max(1, Math.floor(cpuLimit + 1e-9));
}

/** True if every isolate gets the heap it needs beside so many workers. */
function heapFits(input: WorkerCapInput, workers: number): boolean {
  const size = { memoryMiB: input.memoryMiB, workers, cacheMiB: input.cacheMiB };
  const explicitMiB = input.explicitHeapMiB(workers);
  return explicitMiB === undefined
    ? heapPerIsolateMiB(size) >= LEAST_HEAP_MIB
    : explicitMiB <= heapCeilingMiB(size);
}

/**
 * The most worker threads a pod may ever run, for which its heaps are computed: the least of what is wanted, F17 and what
 * memory leaves a heap for. Capped, not refused; 0 means that jobs run on the main thread.
 */
export function workerCap(input: WorkerCapInput): WorkerCap {
  const forCpu = workersForCpu(input.cpuLimit);
  let cap = Math.min(input.wanted, forCpu);
  let bound: WorkerBound = input.wanted <= forCpu ? "Wanted" : "Cpu";
  while (cap > 0 && !heapFits(input, cap)) {
    cap -= 1;
    bound = "Memory";
  }
  return { cap, bound };
}
