import type { Issue } from "./issue.ts";
import { renderNodeOptions } from "./node-options.ts";
import { planTuning } from "./plan.ts";
import { rationale, workerCapReason } from "./rationale.ts";
import type { TuningInput } from "./tuning-input.ts";
import { tuningIssues } from "./tuning-issues.ts";

/** What a pod is started with. While `issues` is not empty the plan is refused: `nodeOptions` and `env` are empty then. */
export interface TuningResult {
  nodeOptions: string;
  /** Heap limit of each isolate as V8 will report it, young generation included. */
  heapMiB: number;
  semiSpaceMiB: number;
  /** Worker threads may be resized below this without a restart. */
  workerCap: number;
  /** Why it is that many. */
  workerCapReason: string;
  /** Same as heapMiB: a process-wide heap flag counts for every isolate. */
  workerHeapMiB: number;
  threadpoolSize: number;
  /** Environment of the container. */
  env: Record<string, string>;
  /** One sentence for each number: which rule made it. */
  rationale: string[];
  issues: Issue[];
}

/** NODE_OPTIONS, heap, young generation, worker threads and libuv pool of a pod (F1, F2, F17, F18, F21). Deterministic. */
export function tune(input: TuningInput): TuningResult {
  const plan = planTuning(input);
  const issues = tuningIssues(input, plan);
  const { maxHttpHeaderBytes, stackTraceLimit, dnsResultOrder } = input.nodeOptions;
  const nodeOptions =
    issues.length > 0
      ? ""
      : renderNodeOptions({
          heap: plan.heapFlag,
          semiSpaceMiB: plan.semiSpaceMiB,
          maxHttpHeaderBytes,
          stackTraceLimit,
          dnsResultOrder,
        });
  return {
    nodeOptions,
    heapMiB: plan.heapMiB,
    semiSpaceMiB: plan.semiSpaceMiB,
    workerCap: plan.workerCap,
    workerCapReason: workerCapReason(input, plan),
    workerHeapMiB: plan.heapMiB,
    threadpoolSize: plan.threadpoolSize,
    env:
      issues.length > 0 ? {} : { NODE_OPTIONS: nodeOptions, UV_THREADPOOL_SIZE: String(plan.threadpoolSize) },
    rationale: rationale(input, plan),
    issues,
  };
}
