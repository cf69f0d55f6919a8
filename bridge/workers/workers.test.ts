import { randomBytes } from "node:crypto";
import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from "node:zlib";
import { pino } from "pino";
import { afterEach, describe, expect, it } from "vitest";
import { createMetrics } from "../metrics/registry.ts";
import { createWorkers, type Workers, WorkersBusyError, type WorkersOptions } from "./workers.ts";

const open: Workers[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((workers) => workers.close()));
});

function start(options: Partial<WorkersOptions> = {}) {
  const metrics = createMetrics({ bridge: "b", revision: "r" });
  const log = pino({ level: "silent" });
  const workers = createWorkers({ metrics, log, cap: 2, count: 1, heapMiB: 64, ...options });
  open.push(workers);
  return { workers, metrics };
}

const large = Buffer.from("all work and no play ".repeat(20_000));
/** Random, because the tokenizer remembers the words it has seen. */
const noise = (bytes: number) => randomBytes((bytes * 3) / 4).toString("base64");
/** Takes a thread a second or so. */
const slowCount = { model: "gpt-4o", texts: [noise(2e5)] };
/** A job that is awaited later: should it fail before, the test says so then, and not the process. */
const later = <T>(job: Promise<T>): Promise<T> => {
  job.catch(() => undefined);
  return job;
};

describe("createWorkers", { timeout: 60_000 }, () => {
  it.each([
    ["zstd", zstdDecompressSync],
    ["br", brotliDecompressSync],
    ["gzip", gunzipSync],
  ] as const)(
    "compresses with %s, small bodies here, large ones in a thread, without touching the caller's",
    async (encoding, decode) => {
      const { workers, metrics } = start();
      const small = Buffer.from("hello");
      const before = Buffer.from(large);
      expect(decode(await workers.compress(small, encoding)).toString()).toBe("hello");
      expect(decode(await workers.compress(large, encoding)).equals(before)).toBe(true);
      expect(large.equals(before)).toBe(true);
      const waited = await metrics.workerWaitSeconds.get();
      const viaThread = waited.values.find(
        ({ metricName, labels }) => metricName?.endsWith("_count") && labels.task === "compress",
      );
      expect(viaThread?.value).toBe(1);
    },
  );

  it("counts tokens as the model does, taking its control tokens in a text for text", async () => {
    const { workers } = start();
    // Counts published for OpenAI's vocabularies: "tiktoken is great!" is 6 tokens in both.
    for (const model of ["gpt-4o", "gpt-4", "llama3"]) {
      expect(await workers.countTokens({ model, texts: ["tiktoken is great!"] })).toBe(6);
    }
    expect(await workers.countTokens({ model: "gpt-4o", texts: ["<|endoftext|>"] })).toBeGreaterThan(1);
    expect(
      await workers.countTokens({ model: "gpt-4o", texts: ["tiktoken is great!", "", "tiktoken"] }),
    ).toBe(9);
  });

  it("runs on the calling thread with no worker", async () => {
    const { workers, metrics } = start({ count: 0 });
    expect(gunzipSync(await workers.compress(large, "gzip")).equals(large)).toBe(true);
    expect(await workers.countTokens({ model: "gpt-4", texts: ["tiktoken is great!"] })).toBe(6);
    expect(workers.stats()).toEqual({ threads: 0, cap: 2, busy: 0, queued: 0 });
    expect(await metrics.registry.metrics()).toMatch(/llmbridge_workers\{.*\} 0/);
  });

  it("changes the number of threads below the cap while jobs run, and loses none", async () => {
    const { workers, metrics } = start();
    const jobs = Array.from({ length: 40 }, (_, i) =>
      later(workers.countTokens({ model: "gpt-4o", texts: [`job ${i} ${"word ".repeat(2_000)}`] })),
    );
    await workers.resize(9);
    expect(workers.stats()).toMatchObject({ threads: 2, cap: 2 });
    expect(await metrics.registry.metrics()).toMatch(/llmbridge_worker_cap\{.*\} 2/);
    await workers.resize(1);
    expect(workers.stats().threads).toBe(1);
    await workers.resize(0);
    expect(workers.stats().threads).toBe(0);
    for (const count of await Promise.all(jobs)) expect(count).toBeGreaterThan(2_000);
  });

  it("keeps a busy thread that is wanted again instead of starting one above the cap", async () => {
    const { workers } = start({ cap: 1, count: 1 });
    const job = later(workers.countTokens(slowCount));
    await expect.poll(() => workers.stats().busy).toBe(1);
    const shrunk = workers.resize(0);
    await workers.resize(1);
    expect(workers.stats().threads).toBe(1);
    await Promise.all([job, shrunk]);
    expect(workers.stats().threads).toBe(1);
  });

  it("survives a thread that runs out of heap", async () => {
    // Too little for the vocabulary, and more than twice what a thread holds that has just started.
    const { workers } = start({ heapMiB: 32 });
    await expect(workers.countTokens({ model: "gpt-4o", texts: ["x"] })).rejects.toMatchObject({
      code: "ERR_WORKER_OUT_OF_MEMORY",
    });
    expect(gunzipSync(await workers.compress(large, "gzip")).equals(large)).toBe(true);
  });

  it("rejects each job of a thread that runs out of heap, and nothing else", async () => {
    const { workers } = start({ heapMiB: 32, cap: 2, count: 2 });
    const unhandled: unknown[] = [];
    const note = (error: unknown) => unhandled.push(error);
    process.on("unhandledRejection", note);
    try {
      const jobs = Array.from({ length: 4 }, () => workers.countTokens({ model: "gpt-4o", texts: ["x"] }));
      const settled = await Promise.allSettled(jobs);
      expect(settled.map(({ status }) => status)).toEqual(jobs.map(() => "rejected"));
      expect(gunzipSync(await workers.compress(large, "gzip")).equals(large)).toBe(true);
      expect(unhandled).toEqual([]);
    } finally {
      process.off("unhandledRejection", note);
    }
  });

  it("serves high priority first and refuses jobs above the bound", async () => {
    const { workers } = start({ cap: 1, maxQueued: 3 });
    const done: string[] = [];
    const busy = later(workers.countTokens(slowCount));
    await expect.poll(() => workers.stats().busy).toBe(1);
    const waiting = (["low", "normal", "high"] as const).map((priority) =>
      later(workers.compress(large, "gzip", { priority }).then(() => done.push(priority))),
    );
    await expect(workers.compress(large, "gzip")).rejects.toBeInstanceOf(WorkersBusyError);
    await Promise.all([busy, ...waiting]);
    expect(done).toEqual(["high", "normal", "low"]);
  });

  it.each([0, 1])(
    "is idle when every job has settled and its caller has heard, with %i threads",
    async (count) => {
      const { workers } = start({ count, heapMiB: 256 });
      const heard: string[] = [];
      const hear = (job: Promise<unknown>, name: string) =>
        Promise.all([job]).then(
          () => heard.push(name),
          () => heard.push(`${name} failed`),
        );
      for (const name of ["first", "second"]) {
        void hear(workers.countTokens({ model: "gpt-4o", texts: ["one word"] }), name);
      }
      await workers.idle();
      expect(heard).toEqual(["first", "second"]);
      await workers.close();
      void hear(workers.countTokens({ model: "gpt-4o", texts: ["one word"] }), "third");
      await workers.idle();
      expect(heard).toEqual(["first", "second", "third failed"]);
    },
  );

  it("rejects what has not finished when it is closed", async () => {
    const { workers } = start({ cap: 1 });
    const jobs = [workers.countTokens(slowCount), workers.compress(large, "gzip")];
    const settled = Promise.allSettled(jobs);
    await workers.close();
    for (const { status } of await settled) expect(status).toBe("rejected");
    await expect(workers.countTokens(slowCount)).rejects.toThrow("closed");
  });

  it("exports utilisation, heap and garbage collection of each thread, and removes the gauges of one that is gone", async () => {
    const { workers, metrics } = start();
    const busy = later(workers.countTokens(slowCount));
    const series = async (start: string) => {
      const lines = (await metrics.registry.metrics()).split("\n").filter((line) => line.startsWith(start));
      return Number(lines[0]?.split(" ").at(-1) ?? 0);
    };
    const utilization = 'llmbridge_worker_utilization{worker="worker-0"';
    await expect.poll(() => series(utilization), { timeout: 20_000 }).toBeGreaterThan(0);
    await busy;
    const minorGc = 'llmbridge_gc_seconds_total{isolate="worker-0",kind="minor"';
    await expect.poll(() => series(minorGc), { timeout: 20_000 }).toBeGreaterThan(0);
    const text = await metrics.registry.metrics();
    const limit = Number(text.match(/llmbridge_heap_limit_bytes\{isolate="worker-0",.*\} (\d+)/)?.[1]);
    expect(limit / 2 ** 20).toBe(64);
    expect(text).toMatch(/llmbridge_event_loop_utilization\{isolate="worker-0"/);
    await workers.resize(0);
    expect(await metrics.registry.metrics()).not.toMatch(/worker_utilization\{worker="worker-0"/);
  });
});
