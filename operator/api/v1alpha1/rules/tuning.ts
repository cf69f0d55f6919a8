import { takesFlag } from "../node-flags.ts";
import type { LLMBridgeSpec } from "../spec.ts";
import { isOfKind, sentence } from "./cel.ts";
import { largestHeap, largestHeapMiB, memoryIsKnown } from "./memory.ts";
import { type Rule, rule } from "./rule.ts";

type Tuning = LLMBridgeSpec["tuning"];

const MAX_HEAP_SINCE = ["24.15", "25.9", "26.0"];

const options = "self.tuning.nodeOptions";
const semiSpace = `(has(${options}.maxSemiSpaceMiB) ? 3 * ${options}.maxSemiSpaceMiB : 0)`;

export const TUNING_RULES: readonly Rule[] = [
  rule<Tuning["nodeOptions"]>({
    id: "one-heap-limit",
    path: "spec.tuning.nodeOptions",
    validation: {
      rule: "!has(self.maxOldSpaceMiB) || !has(self.maxHeapMiB)",
      message:
        "maxOldSpaceMiB and maxHeapMiB both limit the heap; keep one of them (maxHeapMiB counts the young generation too).",
    },
    check: ({ maxOldSpaceMiB, maxHeapMiB }) =>
      maxOldSpaceMiB === undefined || maxHeapMiB === undefined
        ? undefined
        : "maxOldSpaceMiB and maxHeapMiB both limit the heap; keep one of them (maxHeapMiB counts the young generation too).",
    accepted: { spec: { tuning: { nodeVersion: "24.21", nodeOptions: { maxHeapMiB: 300 } } } },
    refused: {
      spec: { tuning: { nodeVersion: "24.21", nodeOptions: { maxHeapMiB: 300, maxOldSpaceMiB: 250 } } },
    },
    expect: "keep one of them",
  }),
  rule<Tuning>({
    id: "max-heap-node-version",
    path: "spec.tuning",
    validation: {
      // The major and minor as one number: 24.15 is 2415. The major alone may be any minor, so it counts as .0.
      rule: `!has(self.nodeOptions.maxHeapMiB) || !${isOfKind("nodeVersion", "self.nodeVersion")} || [self.nodeVersion.split('.')].exists(v, [int(v[0]) * 100 + (v.size() > 1 ? int(v[1]) : 0)].exists(n, (n >= 2415 && n < 2500) || (n >= 2509 && n < 2600) || n >= 2600))`,
      message: "maxHeapMiB needs Node 24.15, 25.9 or 26 in nodeVersion.",
      messageExpression:
        "'maxHeapMiB renders --max-heap-size, on which Node ' + self.nodeVersion + ' may exit with 9; set nodeVersion to 24.15, 25.9, 26 or newer if the image has it, or write maxOldSpaceMiB.'",
      fieldPath: ".nodeOptions.maxHeapMiB",
    },
    check: ({ nodeVersion, nodeOptions }) =>
      nodeOptions.maxHeapMiB === undefined || takesFlag(nodeVersion, MAX_HEAP_SINCE)
        ? undefined
        : `maxHeapMiB renders --max-heap-size, on which Node ${nodeVersion} may exit with 9; set nodeVersion to 24.15, 25.9, 26 or newer if the image has it, or write maxOldSpaceMiB.`,
    accepted: { spec: { tuning: { nodeVersion: "25.9", nodeOptions: { maxHeapMiB: 300 } } } },
    refused: { spec: { tuning: { nodeVersion: "24", nodeOptions: { maxHeapMiB: 300 } } } },
    expect: "on which Node 24 may exit with 9",
  }),
  rule<LLMBridgeSpec>({
    id: "old-space-within-memory",
    path: "spec",
    validation: {
      rule: `!has(${options}.maxOldSpaceMiB) || !${memoryIsKnown} || ${options}.maxOldSpaceMiB + ${semiSpace} <= ${largestHeap}`,
      message: "The heap must fit in resources.limits.memory.",
      messageExpression: sentence`maxOldSpaceMiB ${`${options}.maxOldSpaceMiB`} and ${semiSpace} MiB of semi-spaces do not fit in resources.limits.memory ${"self.resources.limits.memory"}, which beside the cache has room for a heap of ${largestHeap} MiB; lower it, raise the limit, or leave it to the operator.`,
      fieldPath: ".tuning.nodeOptions.maxOldSpaceMiB",
    },
    check: ({ tuning: { nodeOptions }, resources: { limits }, cache: { memory } }) => {
      const semiSpacesMiB = 3 * (nodeOptions.maxSemiSpaceMiB ?? 0);
      return nodeOptions.maxOldSpaceMiB === undefined ||
        nodeOptions.maxOldSpaceMiB + semiSpacesMiB <= largestHeapMiB(limits.memory, memory.maxBytes)
        ? undefined
        : `maxOldSpaceMiB ${nodeOptions.maxOldSpaceMiB} and ${semiSpacesMiB} MiB of semi-spaces do not fit in resources.limits.memory ${limits.memory}, which beside the cache has room for a heap of ${largestHeapMiB(limits.memory, memory.maxBytes)} MiB; lower it, raise the limit, or leave it to the operator.`;
    },
    accepted: { spec: { tuning: { nodeOptions: { maxOldSpaceMiB: 297, maxSemiSpaceMiB: 16 } } } },
    refused: { spec: { tuning: { nodeOptions: { maxOldSpaceMiB: 450 } } } },
    expect: "maxOldSpaceMiB 450 and 0 MiB of semi-spaces do not fit in resources.limits.memory 512Mi",
  }),
  rule<LLMBridgeSpec>({
    id: "heap-within-memory",
    path: "spec",
    validation: {
      rule: `!has(${options}.maxHeapMiB) || !${memoryIsKnown} || ${options}.maxHeapMiB <= ${largestHeap}`,
      message: "The heap must fit in resources.limits.memory.",
      messageExpression: sentence`maxHeapMiB ${`${options}.maxHeapMiB`} does not fit in resources.limits.memory ${"self.resources.limits.memory"}, which beside the cache has room for a heap of ${largestHeap} MiB; lower it, raise the limit, or leave it to the operator.`,
      fieldPath: ".tuning.nodeOptions.maxHeapMiB",
    },
    check: ({ tuning: { nodeOptions }, resources: { limits }, cache: { memory } }) =>
      nodeOptions.maxHeapMiB === undefined ||
      nodeOptions.maxHeapMiB <= largestHeapMiB(limits.memory, memory.maxBytes)
        ? undefined
        : `maxHeapMiB ${nodeOptions.maxHeapMiB} does not fit in resources.limits.memory ${limits.memory}, which beside the cache has room for a heap of ${largestHeapMiB(limits.memory, memory.maxBytes)} MiB; lower it, raise the limit, or leave it to the operator.`,
    accepted: { spec: { tuning: { nodeVersion: "26", nodeOptions: { maxHeapMiB: 345 } } } },
    refused: { spec: { tuning: { nodeVersion: "26", nodeOptions: { maxHeapMiB: 346 } } } },
    expect: "which beside the cache has room for a heap of 345 MiB",
  }),
  rule<LLMBridgeSpec>({
    id: "semi-space-within-memory",
    path: "spec",
    validation: {
      rule: `!has(${options}.maxSemiSpaceMiB) || !${memoryIsKnown} || ${semiSpace} + 32 <= ${largestHeap}`,
      message: "Three semi-spaces and an old space of 32 MiB must fit in the heap.",
      messageExpression: sentence`three semi-spaces of maxSemiSpaceMiB ${`${options}.maxSemiSpaceMiB`} and an old space of 32 MiB do not fit in the heap of ${largestHeap} MiB that resources.limits.memory ${"self.resources.limits.memory"} has room for beside the cache; lower it or raise the limit.`,
      fieldPath: ".tuning.nodeOptions.maxSemiSpaceMiB",
    },
    check: ({ tuning: { nodeOptions }, resources: { limits }, cache: { memory } }) =>
      nodeOptions.maxSemiSpaceMiB === undefined ||
      3 * nodeOptions.maxSemiSpaceMiB + 32 <= largestHeapMiB(limits.memory, memory.maxBytes)
        ? undefined
        : `three semi-spaces of maxSemiSpaceMiB ${nodeOptions.maxSemiSpaceMiB} and an old space of 32 MiB do not fit in the heap of ${largestHeapMiB(limits.memory, memory.maxBytes)} MiB that resources.limits.memory ${limits.memory} has room for beside the cache; lower it or raise the limit.`,
    accepted: { spec: { tuning: { nodeOptions: { maxSemiSpaceMiB: 64 } } } },
    refused: { spec: { tuning: { nodeOptions: { maxSemiSpaceMiB: 128 } } } },
    expect: "three semi-spaces of maxSemiSpaceMiB 128",
  }),
];
