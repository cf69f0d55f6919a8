import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { llmBridgeSpec } from "../api/v1alpha1/spec.ts";
import { explainNodeOptions } from "./explain.ts";
import { heapCeilingMiB, LEAST_HEAP_MIB, leastMemoryMiB } from "./heap.ts";
import { tune } from "./tune.ts";
import { type TuningInput, tuningInput } from "./tuning-input.ts";

const MIB = 1024 * 1024;

function input(
  over: Partial<Omit<TuningInput, "nodeOptions">> & { memoryMiB?: number; nodeOptions?: object } = {},
): TuningInput {
  const { memoryMiB = 512, ...rest } = over;
  return {
    nodeVersion: "24.21",
    objective: "Latency",
    memoryLimitBytes: memoryMiB * MIB,
    cpuLimit: 1,
    cacheBytes: 0,
    workers: { min: 0, max: 0 },
    nodeOptions: {},
    ...rest,
  };
}

describe("F1: heap by memory limit", () => {
  it.each([
    [256, 0, 153],
    [512, 0, 364],
    [1024, 0, 774],
    [2048, 0, 1593],
    [512, 1, 176],
    [1024, 1, 381],
    [1024, 2, 250],
  ])("%i MiB with %i workers: %i MiB each", (memoryMiB, workers, heapMiB) => {
    const result = tune(input({ memoryMiB, cpuLimit: 8, workers: { min: 0, max: workers } }));
    expect(result).toMatchObject({ heapMiB, workerHeapMiB: heapMiB, workerCap: workers, issues: [] });
  });

  it("takes the cache from the heap, since its answers are Buffers", () => {
    expect(tune(input({ cacheBytes: 64 * MIB })).heapMiB).toBe(364 - 64);
    expect(tune(input({ cacheBytes: 63.5 * MIB })).heapMiB).toBe(364 - 64);
  });
});

describe("flags by version", () => {
  it.each([
    ["24.21", "--max-heap-size=364 --max-semi-space-size=16"],
    ["24.15.0", "--max-heap-size=364 --max-semi-space-size=16"],
    ["24.14", "--max-old-space-size=316 --max-semi-space-size=16"],
    ["24", "--max-old-space-size=316 --max-semi-space-size=16"],
    ["22.23", "--max-old-space-size=316 --max-semi-space-size=16"],
    ["25.8", "--max-old-space-size=316 --max-semi-space-size=16"],
    ["25.9", "--max-heap-size=364 --max-semi-space-size=16"],
    ["26", "--max-heap-size=364 --max-semi-space-size=16"],
  ])("%s", (nodeVersion, nodeOptions) => {
    expect(tune(input({ nodeVersion })).nodeOptions).toBe(nodeOptions);
  });

  it("renders every typed flag, sorted", () => {
    const nodeOptions = {
      stackTraceLimit: 20,
      dnsResultOrder: "ipv4first",
      maxHttpHeaderBytes: 32768,
      maxSemiSpaceMiB: 8,
      maxOldSpaceMiB: 200,
    };
    const result = tune(input({ nodeOptions }));
    expect(result.nodeOptions).toBe(
      "--dns-result-order=ipv4first --max-http-header-size=32768 --max-old-space-size=200 --max-semi-space-size=8 --stack-trace-limit=20",
    );
    expect(result.heapMiB).toBe(224);
    expect(result.env).toEqual({ NODE_OPTIONS: result.nodeOptions, UV_THREADPOOL_SIZE: "4" });
  });
});

describe("F2: semi-space", () => {
  it.each([
    [256, 0, "Latency", 8],
    [512, 0, "Latency", 16],
    [512, 1, "Latency", 8],
    [8192, 0, "Latency", 16],
    [8192, 0, "Throughput", 64],
    [1024, 0, "Throughput", 32],
    [256, 1, "Throughput", 4],
  ] as const)("%i MiB, %i workers, %s: %i", (memoryMiB, max, objective, semiSpaceMiB) => {
    const result = tune(input({ memoryMiB, objective, cpuLimit: 8, workers: { min: 0, max } }));
    expect(result.semiSpaceMiB).toBe(semiSpaceMiB);
  });

  it("counts what V8 makes of a number that is no power of two", () => {
    const result = tune(input({ nodeOptions: { maxSemiSpaceMiB: 20, maxOldSpaceMiB: 200 } }));
    expect(result.semiSpaceMiB).toBe(32);
    expect(result.heapMiB).toBe(296);
    expect(result.rationale.join(" ")).toContain("V8 rounds 20 up");
  });
});

describe("F18: libuv pool", () => {
  it.each([
    [0.5, 4],
    [2, 4],
    [2.1, 5],
    [4, 8],
    [100, 64],
  ])("%d CPUs: %i threads", (cpuLimit, threadpoolSize) => {
    expect(tune(input({ cpuLimit })).threadpoolSize).toBe(threadpoolSize);
  });

  it("takes the number that the user set", () => {
    expect(tune(input({ nodeOptions: { threadpoolSize: 7 } })).env.UV_THREADPOOL_SIZE).toBe("7");
  });
});

describe("worker cap", () => {
  it.each([
    ["by the spec", { cpuLimit: 8, workers: { min: 0, max: 2 }, memoryMiB: 2048 }, 2, "spec.workers.max."],
    ["by CPU", { cpuLimit: 2.5, workers: { min: 0, max: 8 }, memoryMiB: 2048 }, 2, "one for each whole CPU"],
    ["one below a whole CPU", { cpuLimit: 0.5, workers: { min: 0, max: 8 }, memoryMiB: 2048 }, 1, "F17"],
    [
      "by memory",
      { cpuLimit: 16, workers: { min: 0, max: 16 }, memoryMiB: 512 },
      3,
      "no heap for more isolates",
    ],
    [
      "none fits",
      { cpuLimit: 4, workers: { min: 1, max: 4 }, memoryMiB: 192 },
      0,
      "a memory limit of 242Mi takes one",
    ],
    [
      "none wanted",
      { cpuLimit: 4, workers: { min: 0, max: 0 }, memoryMiB: 512 },
      0,
      "spec.workers.max is 0.",
    ],
  ])("%s: capped and reported, not refused", (_, over, cap, why) => {
    const result = tune(input(over));
    expect(result.workerCap).toBe(cap);
    expect(result.issues).toEqual([]);
    expect(result.rationale.join(" ")).toContain(why);
  });

  it("makes room for a heap the user set", () => {
    const over = { memoryMiB: 1024, cpuLimit: 4, workers: { min: 0, max: 4 } };
    expect(tune(input(over)).workerCap).toBe(4);
    expect(tune(input({ ...over, nodeOptions: { maxHeapMiB: 400 } }))).toMatchObject({
      workerCap: 1,
      issues: [],
    });
  });
});

describe("refusals: field, value, rule and remedy", () => {
  it.each([
    [
      "memory",
      { memoryMiB: 128 },
      "spec.resources.limits.memory",
      "128Mi leaves 38 MiB for the heap beside the process and 0 MiB of cache, and a bridge needs 64; set at least 157Mi, or lower spec.cache.memory.maxBytes.",
    ],
    [
      "a cache as large as the pod",
      { cacheBytes: 512 * MIB },
      "spec.resources.limits.memory",
      "512Mi leaves 0 MiB for the heap beside the process and 512 MiB of cache, and a bridge needs 64; set at least 777Mi, or lower spec.cache.memory.maxBytes.",
    ],
    [
      "an old space of 450 MiB in 512",
      { nodeOptions: { maxOldSpaceMiB: 450 } },
      "spec.tuning.nodeOptions.maxOldSpaceMiB",
      "450 is too large: spec.resources.limits.memory of 512 MiB leaves at most 361 beside the process and 0 MiB of cache; set at most 361, or raise the limit.",
    ],
    [
      "a heap that leaves no room at all",
      { memoryMiB: 96, nodeOptions: { maxHeapMiB: 64 } },
      "spec.tuning.nodeOptions.maxHeapMiB",
      "64 is too large: spec.resources.limits.memory of 96 MiB leaves at most 14 beside the process and 0 MiB of cache; raise the limit.",
    ],
    [
      "a tiny old space",
      { memoryMiB: 256, nodeOptions: { maxOldSpaceMiB: 32, maxSemiSpaceMiB: 4 } },
      "spec.tuning.nodeOptions.maxOldSpaceMiB",
      "32 makes a heap of 44 MiB, and a bridge needs 64; set at least 52.",
    ],
    [
      "both heaps",
      { nodeOptions: { maxOldSpaceMiB: 100, maxHeapMiB: 200 } },
      "spec.tuning.nodeOptions.maxHeapMiB",
      "200 stands beside maxOldSpaceMiB: 100, and V8 makes a third number of the two; keep one of them.",
    ],
    [
      "a flag that the version does not take",
      { nodeVersion: "24.14", nodeOptions: { maxHeapMiB: 300 } },
      "spec.tuning.nodeOptions.maxHeapMiB",
      "Node 24.14 may exit with 9 on --max-heap-size, which 24.15, 25.9 and 26 are the first to take; set maxOldSpaceMiB: 252 instead, or declare the minor of the image in spec.tuning.nodeVersion.",
    ],
    [
      "a semi-space larger than the heap",
      { nodeOptions: { maxSemiSpaceMiB: 512 } },
      "spec.tuning.nodeOptions.maxSemiSpaceMiB",
      "512 takes 1536 of the 364 MiB of heap (three semi-spaces, rounded up to a power of two), and the old space needs 32; set at most 64.",
    ],
    [
      "a version nobody measured",
      { nodeVersion: "18.20" },
      "spec.tuning.nodeVersion",
      '"18.20" is not a Node version whose flags are known; use an image with Node 22 to 26 and declare its version, such as "24.21".',
    ],
  ])("%s", (_, over, path, message) => {
    const result = tune(input(over));
    expect(result.issues).toEqual([{ path, message }]);
    expect(result.env).toEqual({});
  });

  it.each([
    [{ memoryMiB: 156 }, 157, 0],
    [{ memoryMiB: 776, cacheBytes: 512 * MIB }, 777, 512],
  ])("the limit it names is the least that is accepted: %j", (over, least, cacheMiB) => {
    expect(tune(input(over)).issues).toHaveLength(1);
    expect(tune(input({ ...over, memoryMiB: least })).issues).toEqual([]);
    expect(leastMemoryMiB(0, cacheMiB)).toBe(least);
  });
});

describe("tuningInput", () => {
  it("reads a spec with every default: 512Mi, one CPU, 64 MiB of cache, Node 24", () => {
    const spec = llmBridgeSpec.parse({
      image: "registry.example/bridge:1",
      upstreams: [{ name: "model", protocol: "OpenAI", url: "https://model.example/v1" }],
    });
    const result = tune(tuningInput(spec));
    expect(result).toMatchObject({
      nodeOptions: "--max-old-space-size=120 --max-semi-space-size=8",
      heapMiB: 144,
      workerCap: 1,
      threadpoolSize: 4,
      issues: [],
    });
    for (const sentence of result.rationale) expect(sentence.length).toBeLessThanOrEqual(300);
  });
});

it("leaves an old space to work with where a cache takes most of the limit", () => {
  const { heapMiB, semiSpaceMiB, nodeOptions } = tune(
    input({
      nodeVersion: "22",
      memoryMiB: 960,
      cpuLimit: 0.1,
      cacheBytes: 552 * MIB,
      workers: { min: 0, max: 1 },
    }),
  );
  expect({ heapMiB, semiSpaceMiB, nodeOptions }).toEqual({
    heapMiB: 79,
    semiSpaceMiB: 8,
    nodeOptions: "--max-old-space-size=55 --max-semi-space-size=8",
  });
});

describe("properties", () => {
  const inputs = fc.record({
    nodeVersion: fc.constantFrom("22", "22.23", "24", "24.14", "24.15", "25.8", "25.9", "26", "26.10.0"),
    objective: fc.constantFrom("Latency" as const, "Throughput" as const),
    memoryMiB: fc.integer({ min: 16, max: 32_768 }),
    cpuLimit: fc.integer({ min: 1, max: 320 }).map((tenths) => tenths / 10),
    cacheBytes: fc.integer({ min: 0, max: 2 ** 31 }),
    workers: fc.record({ min: fc.integer({ min: 0, max: 64 }), max: fc.integer({ min: 0, max: 64 }) }),
    nodeOptions: fc.record(
      {
        maxOldSpaceMiB: fc.integer({ min: 32, max: 65_536 }),
        maxHeapMiB: fc.integer({ min: 64, max: 65_536 }),
        maxSemiSpaceMiB: fc.integer({ min: 1, max: 512 }),
        maxHttpHeaderBytes: fc.integer({ min: 4096, max: 1_048_576 }),
        stackTraceLimit: fc.integer({ min: 0, max: 200 }),
        threadpoolSize: fc.integer({ min: 1, max: 64 }),
      },
      { requiredKeys: [] },
    ),
  });

  it("an accepted plan fits the limit with every isolate full, and its flags read back as typed fields", () => {
    fc.assert(
      fc.property(inputs, (over) => {
        const result = tune(input(over));
        expect(tune(input(over))).toEqual(result);
        if (result.issues.length > 0) return;
        const cacheMiB = Math.ceil(over.cacheBytes / MIB);
        const size = { memoryMiB: over.memoryMiB, workers: result.workerCap, cacheMiB };
        expect(result.heapMiB).toBeGreaterThanOrEqual(LEAST_HEAP_MIB);
        expect(result.heapMiB).toBeLessThanOrEqual(heapCeilingMiB(size));
        expect((1 + result.workerCap) * result.heapMiB + cacheMiB).toBeLessThan(0.95 * over.memoryMiB);
        expect(result.workerCap).toBeLessThanOrEqual(over.workers.max);
        expect(explainNodeOptions(result.nodeOptions).every(({ kind }) => kind === "Typed")).toBe(true);
        const flags = result.nodeOptions.split(" ");
        expect(flags).toEqual([...flags].sort());
      }),
      { numRuns: 1000 },
    );
  });
});
