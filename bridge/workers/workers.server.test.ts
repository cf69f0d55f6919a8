import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { gunzipSync } from "node:zlib";
import { pino } from "pino";
import { rolldown } from "rolldown";
import { afterEach, describe, expect, it } from "vitest";
import { createMetrics } from "../metrics/registry.ts";
import { createWorkers, type Workers, type WorkersOptions } from "./workers.ts";

const open: Workers[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((workers) => workers.close()));
});

function start(options: Partial<WorkersOptions> = {}) {
  const metrics = createMetrics({ bridge: "b", revision: "r" });
  const workers = createWorkers({
    metrics,
    log: pino({ level: "silent" }),
    cap: 2,
    count: 1,
    heapMiB: 64,
    ...options,
  });
  open.push(workers);
  return { workers, metrics };
}

const large = Buffer.from("all work and no play ".repeat(20_000));
/** Random, because the tokenizer remembers the words it has seen. */
const noise = (bytes: number) => randomBytes((bytes * 3) / 4).toString("base64");

/** The slow cases; the others are in workers.test.ts. */
describe("createWorkers under strain", () => {
  it("counts noise for as long as one likes within a thread's heap", async () => {
    const { workers } = start();
    for (let i = 0; i < 4; i++)
      expect(await workers.countTokens({ model: "gpt-4o", texts: [noise(1e6)] })).toBeGreaterThan(5e5);
  });

  it("counts an unbroken run in bounded time", async () => {
    const { workers } = start();
    const startMs = performance.now();
    await workers.countTokens({ model: "gpt-4o", texts: ["a".repeat(500_000)] });
    expect(performance.now() - startMs).toBeLessThan(5_000);
  });

  it("replaces the thread of a job that takes too long, even one larger than its heap, and serves the next", async () => {
    const { workers } = start({ jobTimeoutMs: 1_500 });
    await expect(workers.countTokens({ model: "gpt-4o", texts: [noise(6e7)] })).rejects.toThrow(
      "took more than 1500 ms",
    );
    // The new thread may need longer than the limit of this test to load the vocabulary, so it compresses.
    expect(gunzipSync(await workers.compress(large, "gzip")).equals(large)).toBe(true);
  });

  it("works from a bundle of main.js and worker.js", async () => {
    const folder = mkdtempSync(join(tmpdir(), "workers-bundle-"));
    try {
      const main = join(folder, "main.ts");
      writeFileSync(
        main,
        `import { createMetrics } from ${JSON.stringify(resolve("bridge/metrics/registry.ts"))};
         import { createWorkers } from ${JSON.stringify(resolve("bridge/workers/workers.ts"))};
         const metrics = createMetrics({ bridge: "b", revision: "r" });
         const workers = createWorkers({ metrics, log: console, cap: 1, count: 1, heapMiB: 64 });
         const count = await workers.countTokens({ model: "gpt-4o", texts: ["tiktoken is great!"] });
         const body = await workers.compress(Buffer.alloc(1e6), "zstd");
         console.log(JSON.stringify({ count, isSmall: body.length < 1e5, stats: workers.stats() }));
         await workers.close();`,
      );
      const input = { main, worker: resolve("bridge/workers/worker.ts") };
      const bundle = await rolldown({
        input,
        platform: "node",
        logLevel: "silent",
        external: ["@napi-rs/nice"],
      });
      await bundle.write({ dir: join(folder, "dist"), format: "esm" });
      await bundle.close();
      writeFileSync(join(folder, "dist", "package.json"), '{"type":"module"}');
      const run = spawnSync(process.execPath, [join(folder, "dist", "main.js")], {
        encoding: "utf8",
        timeout: 20_000,
      });
      expect(run.stderr).toBe("");
      expect(JSON.parse(run.stdout)).toEqual({
        count: 6,
        isSmall: true,
        stats: { threads: 1, cap: 1, busy: 0, queued: 0 },
      });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
