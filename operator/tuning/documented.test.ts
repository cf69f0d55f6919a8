import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { tune } from "./tune.ts";

const MIB = 1024 * 1024;
const page = readFileSync(new URL("../../docs/concepts/tuning.md", import.meta.url), "utf8");
const rows = page
  .split("\n")
  .filter((line) => /^\| \d/.test(line))
  .map((line) => line.slice(2, -2).split(" | "));

describe("the table in docs/concepts/tuning.md", () => {
  it("has rows", () => {
    expect(rows.length).toBeGreaterThan(3);
  });

  it.each(rows)(
    "%s, %s CPUs, cache %s",
    (memory, cpu, cache, workers, heap, semiSpace, nodeOptions, pool) => {
      const result = tune({
        nodeVersion: "24.21",
        objective: "Latency",
        memoryLimitBytes: Number.parseInt(memory ?? "", 10) * MIB,
        cpuLimit: Number(cpu),
        cacheBytes: Number.parseInt(cache ?? "", 10) * MIB,
        workers: { min: 0, max: 4 },
        nodeOptions: {},
      });
      expect(result.issues).toEqual([]);
      expect([
        String(result.workerCap),
        `${result.heapMiB} MiB`,
        `${result.semiSpaceMiB} MiB`,
        `\`${result.nodeOptions}\``,
        String(result.threadpoolSize),
      ]).toEqual([workers, heap, semiSpace, nodeOptions, pool]);
    },
  );
});
