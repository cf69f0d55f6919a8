import { LEAST_HEAP_MIB, leastMemoryMiB } from "./heap.ts";
import type { Issue } from "./issue.ts";
import { isSupportedNode, SUPPORTED_NODE_MAJORS, takesMaxHeapSize } from "./node-version.ts";
import type { TuningPlan } from "./plan.ts";
import { largestSemiSpaceMiB, youngGenerationMiB } from "./semi-space.ts";
import type { TuningInput } from "./tuning-input.ts";

const MEMORY = "spec.resources.limits.memory";
const FIELD = "spec.tuning.nodeOptions";

/** Rules in the order they are judged; the first that is broken is the one reported. */
const RULES = [
  unknownVersion,
  twoHeaps,
  flagNotTaken,
  tooLittleMemory,
  heapTooLarge,
  heapTooSmall,
  semiSpaceTooLarge,
];

/** Why a plan is refused; empty if it is not. */
export function tuningIssues(input: TuningInput, plan: TuningPlan): Issue[] {
  for (const rule of RULES) {
    const issue = rule(input, plan);
    if (issue) return [issue];
  }
  return [];
}

function unknownVersion({ nodeVersion }: TuningInput): Issue | undefined {
  if (isSupportedNode(nodeVersion)) return undefined;
  const { oldest, newest } = SUPPORTED_NODE_MAJORS;
  return {
    path: "spec.tuning.nodeVersion",
    message: `"${nodeVersion}" is not a Node version whose flags are known; use an image with Node ${oldest} to ${newest} and declare its version, such as "24.21".`,
  };
}

function twoHeaps({ nodeOptions }: TuningInput): Issue | undefined {
  if (nodeOptions.maxOldSpaceMiB === undefined || nodeOptions.maxHeapMiB === undefined) return undefined;
  return {
    path: `${FIELD}.maxHeapMiB`,
    message: `${nodeOptions.maxHeapMiB} stands beside maxOldSpaceMiB: ${nodeOptions.maxOldSpaceMiB}, and V8 makes a third number of the two; keep one of them.`,
  };
}

function flagNotTaken({ nodeVersion }: TuningInput, plan: TuningPlan): Issue | undefined {
  if (plan.heapFlag.kind !== "MaxHeap" || takesMaxHeapSize(nodeVersion)) return undefined;
  const oldSpaceMiB = Math.max(32, plan.heapMiB - youngGenerationMiB(plan.semiSpaceMiB));
  return {
    path: `${FIELD}.maxHeapMiB`,
    message: `Node ${nodeVersion} may exit with 9 on --max-heap-size, which 24.15, 25.9 and 26 are the first to take; set maxOldSpaceMiB: ${oldSpaceMiB} instead, or declare the minor of the image in spec.tuning.nodeVersion.`,
  };
}

function tooLittleMemory(_: TuningInput, plan: TuningPlan): Issue | undefined {
  if (plan.explicitHeap || plan.heapMiB >= LEAST_HEAP_MIB) return undefined;
  return {
    path: MEMORY,
    message: `${plan.memoryMiB}Mi leaves ${Math.max(0, plan.heapMiB)} MiB for the heap beside the process and ${plan.cacheMiB} MiB of cache, and a bridge needs ${LEAST_HEAP_MIB}; set at least ${leastMemoryMiB(0, plan.cacheMiB)}Mi, or lower spec.cache.memory.maxBytes.`,
  };
}

function heapTooLarge(_: TuningInput, plan: TuningPlan): Issue | undefined {
  const set = plan.explicitHeap;
  if (!set || set.setMiB <= set.largestMiB) return undefined;
  const room = `${MEMORY} of ${plan.memoryMiB} MiB leaves at most ${set.largestMiB} beside the process and ${plan.cacheMiB} MiB of cache`;
  const remedy =
    set.largestMiB >= LEAST_HEAP_MIB
      ? `set at most ${set.largestMiB}, or raise the limit`
      : "raise the limit";
  return { path: `${FIELD}.${set.field}`, message: `${set.setMiB} is too large: ${room}; ${remedy}.` };
}

function heapTooSmall(_: TuningInput, plan: TuningPlan): Issue | undefined {
  const set = plan.explicitHeap;
  if (!set || plan.heapMiB >= LEAST_HEAP_MIB) return undefined;
  return {
    path: `${FIELD}.${set.field}`,
    message: `${set.setMiB} makes a heap of ${plan.heapMiB} MiB, and a bridge needs ${LEAST_HEAP_MIB}; set at least ${set.setMiB + LEAST_HEAP_MIB - plan.heapMiB}.`,
  };
}

function semiSpaceTooLarge({ nodeOptions }: TuningInput, plan: TuningPlan): Issue | undefined {
  const written = nodeOptions.maxSemiSpaceMiB;
  const largest = largestSemiSpaceMiB(plan.heapMiB);
  if (written === undefined || plan.semiSpaceMiB <= largest) return undefined;
  return {
    path: `${FIELD}.maxSemiSpaceMiB`,
    message: `${written} takes ${youngGenerationMiB(plan.semiSpaceMiB)} of the ${plan.heapMiB} MiB of heap (three semi-spaces, rounded up to a power of two), and the old space needs 32; set at most ${largest}.`,
  };
}
