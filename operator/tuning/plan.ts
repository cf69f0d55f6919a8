import { heapCeilingMiB, heapPerIsolateMiB } from "./heap.ts";
import type { HeapFlag } from "./node-options.ts";
import { takesMaxHeapSize } from "./node-version.ts";
import { roundedSemiSpaceMiB, semiSpaceMiB, semiSpaceWithin, youngGenerationMiB } from "./semi-space.ts";
import { threadpoolSize } from "./threadpool.ts";
import type { TuningInput } from "./tuning-input.ts";
import { type WorkerBound, workerCap } from "./workers.ts";

/** Every number of a pod's tuning before it is judged and rendered. Sizes in MiB. */
export interface TuningPlan {
  memoryMiB: number;
  cacheMiB: number;
  workerCap: number;
  workerBound: WorkerBound;
  semiSpaceMiB: number;
  /** Heap of each isolate, young generation included. */
  heapMiB: number;
  /** Set where the heap is the user's: the field, the number in it and the largest number it may hold. */
  explicitHeap: { field: "maxOldSpaceMiB" | "maxHeapMiB"; setMiB: number; largestMiB: number } | undefined;
  heapFlag: HeapFlag;
  threadpoolSize: number;
}

const MIB = 1024 * 1024;

/** Computes the numbers; judges nothing, so a plan may be one that is to be refused. */
export function planTuning(input: TuningInput): TuningPlan {
  const { maxOldSpaceMiB, maxHeapMiB, maxSemiSpaceMiB } = input.nodeOptions;
  const memoryMiB = Math.floor(input.memoryLimitBytes / MIB);
  const cacheMiB = Math.ceil(input.cacheBytes / MIB);
  const semiFor = (workers: number) =>
    maxSemiSpaceMiB === undefined
      ? semiSpaceMiB(memoryMiB, workers, input.objective)
      : roundedSemiSpaceMiB(maxSemiSpaceMiB);
  const explicitFor = (workers: number) =>
    maxOldSpaceMiB === undefined ? maxHeapMiB : maxOldSpaceMiB + youngGenerationMiB(semiFor(workers));

  const { cap, bound } = workerCap({
    wanted: input.workers.max,
    cpuLimit: input.cpuLimit,
    memoryMiB,
    cacheMiB,
    explicitHeapMiB: explicitFor,
  });
  const size = { memoryMiB, workers: cap, cacheMiB };
  const heapMiB = explicitFor(cap) ?? heapPerIsolateMiB(size);
  const semi =
    maxSemiSpaceMiB === undefined && maxOldSpaceMiB === undefined
      ? semiSpaceWithin(heapMiB, semiFor(cap))
      : semiFor(cap);
  const setMiB = maxOldSpaceMiB ?? maxHeapMiB;
  return {
    memoryMiB,
    cacheMiB,
    workerCap: cap,
    workerBound: bound,
    semiSpaceMiB: semi,
    heapMiB,
    explicitHeap:
      setMiB === undefined
        ? undefined
        : {
            field: maxOldSpaceMiB === undefined ? "maxHeapMiB" : "maxOldSpaceMiB",
            setMiB,
            largestMiB: Math.max(0, heapCeilingMiB(size) - (heapMiB - setMiB)),
          },
    heapFlag: heapFlag(input, heapMiB, semi),
    threadpoolSize: input.nodeOptions.threadpoolSize ?? threadpoolSize(input.cpuLimit),
  };
}

function heapFlag(input: TuningInput, heapMiB: number, semi: number): HeapFlag {
  const { maxOldSpaceMiB, maxHeapMiB } = input.nodeOptions;
  if (maxOldSpaceMiB !== undefined) return { kind: "MaxOldSpace", oldSpaceMiB: maxOldSpaceMiB };
  if (maxHeapMiB !== undefined || takesMaxHeapSize(input.nodeVersion)) return { kind: "MaxHeap", heapMiB };
  return { kind: "MaxOldSpace", oldSpaceMiB: heapMiB - youngGenerationMiB(semi) };
}
