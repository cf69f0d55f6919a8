import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { NODE_FLAGS } from "../api/v1alpha1/node-flags.ts";
import { tune } from "./tune.ts";
import type { TuningInput } from "./tuning-input.ts";

const run = promisify(execFile);
const NODE = fileURLToPath(new URL("../../node_modules/.bin/node", import.meta.url));
const [MAJOR = "", MINOR = ""] = process.versions.node.split(".");

/** Exit code and output of a real Node started with these NODE_OPTIONS. */
async function start(nodeOptions: string, script: string): Promise<{ code: number | null; stdout: string }> {
  try {
    const { stdout } = await run(NODE, ["-e", script], { env: { NODE_OPTIONS: nodeOptions } });
    return { code: 0, stdout };
  } catch (error) {
    const { code, stdout } = error as { code?: number; stdout?: string };
    return { code: code ?? null, stdout: stdout ?? "" };
  }
}

const HEAP_MIB = "process.stdout.write(String(require('v8').getHeapStatistics().heap_size_limit / 1048576))";
const HEAP_OF_WORKER_MIB = `const { Worker } = require("worker_threads");
new Worker("require('worker_threads').parentPort.postMessage(require('v8').getHeapStatistics().heap_size_limit / 1048576)",
  { eval: true, resourceLimits: { maxOldGenerationSizeMb: 32 } }).on("message", (mib) => process.stdout.write(String(mib)));`;

function input(over: Partial<TuningInput> & { memoryMiB: number }): TuningInput {
  const { memoryMiB, ...rest } = over;
  return {
    nodeVersion: `${MAJOR}.${MINOR}`,
    objective: "Latency",
    memoryLimitBytes: memoryMiB * 1024 * 1024,
    cpuLimit: 4,
    cacheBytes: 0,
    workers: { min: 0, max: 1 },
    nodeOptions: {},
    ...rest,
  };
}

describe("a real Node takes what is rendered", () => {
  it.each<[string, Partial<TuningInput> & { memoryMiB: number }]>([
    ["version with its minor", { memoryMiB: 512 }],
    ["major alone", { memoryMiB: 512, nodeVersion: MAJOR }],
    ["a small pod", { memoryMiB: 160, workers: { min: 0, max: 0 } }],
    ["a large pod for throughput", { memoryMiB: 8192, objective: "Throughput" }],
    ["a heap set by hand", { memoryMiB: 512, nodeOptions: { maxHeapMiB: 150 } }],
    [
      "an old space set by hand",
      { memoryMiB: 512, nodeOptions: { maxOldSpaceMiB: 100, maxSemiSpaceMiB: 5 } },
    ],
    ["the largest semi-space allowed", { memoryMiB: 1024, nodeOptions: { maxSemiSpaceMiB: 64 } }],
    [
      "every other flag",
      {
        memoryMiB: 1024,
        nodeOptions: { maxHttpHeaderBytes: 32_768, stackTraceLimit: 0, dnsResultOrder: "verbatim" },
      },
    ],
  ])("%s", async (_, over) => {
    const { nodeOptions, heapMiB, issues } = tune(input(over));
    expect(issues).toEqual([]);
    expect(await start(nodeOptions, HEAP_MIB)).toEqual({ code: 0, stdout: String(heapMiB) });
  });

  it("gives each worker thread the heap of the process, whatever its own limits say", async () => {
    const { nodeOptions, workerHeapMiB } = tune(input({ memoryMiB: 512 }));
    expect(await start(nodeOptions, HEAP_OF_WORKER_MIB)).toEqual({ code: 0, stdout: String(workerHeapMiB) });
  });
});

describe("a real Node refuses what the table says it refuses", () => {
  it.each([
    "--max-old-space-size=450 --gc-interval=100 --optimize-for-size",
    "--optimize-for-size",
    '"--title=a',
  ])("%s: exit 9", async (nodeOptions) => {
    expect((await start(nodeOptions, "")).code).toBe(9);
  });

  it("allows none of the flags called refused by Node, and knows every typed one", () => {
    const allowed = process.allowedNodeEnvironmentFlags;
    for (const known of NODE_FLAGS) {
      if ("field" in known) expect(allowed.has(known.flag), known.flag).toBe(true);
      else if (known.refused === "exits") expect(allowed.has(known.flag), known.flag).toBe(false);
    }
  });
});
