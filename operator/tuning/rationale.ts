import { leastMemoryMiB, offHeapMiB, processMiB } from "./heap.ts";
import { takesMaxHeapSize } from "./node-version.ts";
import type { TuningPlan } from "./plan.ts";
import type { TuningInput } from "./tuning-input.ts";
import { workersForCpu } from "./workers.ts";

const FIELD = "spec.tuning.nodeOptions";

/** One sentence for each number of a plan: which rule or which field made it. */
export function rationale(input: TuningInput, plan: TuningPlan): string[] {
  return [
    heap(plan),
    heapFlag(input, plan),
    semiSpace(input, plan),
    workerCapReason(input, plan),
    threadpool(input, plan),
  ];
}

function heap({ explicitHeap, heapMiB, memoryMiB, cacheMiB, workerCap }: TuningPlan): string {
  if (explicitHeap)
    return `Heap of ${heapMiB} MiB in each of ${workerCap + 1} isolates: set in ${FIELD}.${explicitHeap.field}, where at most ${explicitHeap.largestMiB} fit.`;
  return `Heap of ${heapMiB} MiB in each of ${workerCap + 1} isolates: 90% of ${memoryMiB} MiB less ${processMiB(workerCap)} for the process and ${Math.ceil(offHeapMiB(memoryMiB, cacheMiB))} off the heap, of which ${cacheMiB} for the cache (F1).`;
}

function heapFlag({ nodeVersion }: TuningInput, { heapFlag: flag }: TuningPlan): string {
  if (flag.kind === "MaxHeap") return `Written as --max-heap-size, which Node ${nodeVersion} takes.`;
  const why = takesMaxHeapSize(nodeVersion)
    ? ""
    : `, since not every Node ${nodeVersion} takes --max-heap-size`;
  return `Written as --max-old-space-size of ${flag.oldSpaceMiB} MiB, the heap less three semi-spaces${why}.`;
}

function semiSpace({ objective, nodeOptions }: TuningInput, { semiSpaceMiB }: TuningPlan): string {
  const written = nodeOptions.maxSemiSpaceMiB;
  if (written === undefined)
    return `Semi-space of ${semiSpaceMiB} MiB for ${objective}: three of them in a tenth of an isolate's part of the limit and beside 32 of old space, at least 4 (F2).`;
  const rounded = semiSpaceMiB === written ? "" : `; V8 rounds ${written} up to a power of two`;
  return `Semi-space of ${semiSpaceMiB} MiB: set in ${FIELD}.maxSemiSpaceMiB${rounded}.`;
}

/** Why there may be so many worker threads and no more. */
export function workerCapReason({ workers: { min, max }, cpuLimit }: TuningInput, plan: TuningPlan): string {
  if (plan.workerCap === 0) return `No worker threads, jobs run on the main thread: ${noWorkers(max, plan)}.`;
  const why = {
    Wanted: "spec.workers.max",
    Cpu: `spec.workers.max of ${max} is capped at one for each whole CPU of ${cpuLimit}, here ${workersForCpu(cpuLimit)} (F17)`,
    Memory: `spec.workers.max of ${max} is capped, since ${plan.memoryMiB} MiB leave no heap for more isolates (F1)`,
  }[plan.workerBound];
  const least = min > plan.workerCap ? `; spec.workers.min of ${min} counts as ${plan.workerCap}` : "";
  return `At most ${plan.workerCap} worker threads: ${why}${least}.`;
}

function noWorkers(max: number, { memoryMiB, cacheMiB, explicitHeap }: TuningPlan): string {
  if (max === 0) return "spec.workers.max is 0";
  const none = `${memoryMiB} MiB leave no heap for more isolates (F1)`;
  if (explicitHeap) return `${none} beside ${FIELD}.${explicitHeap.field} of ${explicitHeap.setMiB}`;
  return `${none}; a memory limit of ${leastMemoryMiB(1, cacheMiB)}Mi takes one`;
}

function threadpool({ nodeOptions, cpuLimit }: TuningInput, { threadpoolSize }: TuningPlan): string {
  const why =
    nodeOptions.threadpoolSize === undefined
      ? `twice ${cpuLimit} CPUs, at least 4 and at most 64 (F18)`
      : `set in ${FIELD}.threadpoolSize`;
  return `libuv pool of ${threadpoolSize} threads: ${why}.`;
}
