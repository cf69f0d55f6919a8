// What each worker job costs by size, on this thread and as a round trip through a worker thread.
// Run: npm exec -- node bench/worker-jobs.ts
import { memoryUsage } from "node:process";
import { pino } from "pino";
import { createMetrics } from "../bridge/metrics/registry.ts";
import { compressBytes, type Encoding } from "../bridge/workers/compress.ts";
import { countTokensHere, encodeCount } from "../bridge/workers/tokens.ts";
import { createWorkers } from "../bridge/workers/workers.ts";

const SIZES_KIB = [1, 2, 4, 8, 16, 32, 64, 128, 256];
const ENCODINGS: readonly Encoding[] = ["zstd", "br", "gzip"];

/** Text with the statistics of prose: words by Zipf's law from a fixed vocabulary, so that it neither compresses too well nor tokenises oddly. */
function prose(bytes: number, seed: number): string {
  let state = seed;
  const random = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
  const syllables = [
    "ta",
    "ri",
    "men",
    "con",
    "ing",
    "pro",
    "de",
    "al",
    "ver",
    "s",
    "ment",
    "ul",
    "ex",
    "ation",
    "per",
  ];
  const words = Array.from({ length: 4_000 }, () =>
    Array.from(
      { length: 1 + Math.floor(random() * 4) },
      () => syllables[Math.floor(random() * syllables.length)],
    ).join(""),
  );
  let text = "";
  while (text.length < bytes)
    text += `${words[Math.floor(words.length ** random()) - 1]}${random() < 0.1 ? ". " : " "}`;
  return text.slice(0, bytes);
}

/** Median of the milliseconds that `work` takes, over enough runs, after a warm-up. */
async function medianMs(work: (run: number) => unknown): Promise<number> {
  for (let i = 0; i < 20; i++) await work(i);
  const times: number[] = [];
  for (let i = 0; i < 101; i++) {
    const start = performance.now();
    await work(i);
    times.push(performance.now() - start);
  }
  return times.sort((a, b) => a - b)[50] ?? Number.NaN;
}

const mib = (bytes: number) => Math.round(bytes / 2 ** 20);
const row = (...cells: (string | number)[]) =>
  console.log(`| ${cells.map((cell) => (typeof cell === "number" ? cell.toFixed(3) : cell)).join(" | ")} |`);

const before = memoryUsage();
const loadStart = performance.now();
await countTokensHere(encodeCount({ model: "gpt-4o", texts: ["x"] }));
const loadMs = performance.now() - loadStart;
const after = memoryUsage();
console.log(
  `Loading o200k: ${Math.round(loadMs)} ms, ${mib(after.rss - before.rss)} MiB resident, ${mib(after.heapUsed - before.heapUsed)} MiB of heap.\n`,
);

const workers = createWorkers({
  metrics: createMetrics({ bridge: "bench", revision: "bench" }),
  log: pino({ level: "silent" }),
  cap: 1,
  count: 1,
  heapMiB: 128,
});
row(
  "KiB",
  "tokens here, ms",
  "tokens in a worker, ms",
  ...ENCODINGS.flatMap((name) => [`${name} here, ms`, "ratio"]),
  "zstd in a worker, ms",
);
row(...Array.from({ length: 10 }, () => "---"));
for (const kib of SIZES_KIB) {
  // A text of its own for each run: the tokenizer remembers the words it saw last.
  const texts = Array.from({ length: 101 }, (_, seed) => prose(kib * 1024, seed + 1));
  const text = (run: number) => texts[run % texts.length] ?? "";
  const body = Buffer.from(text(0));
  const cells: number[] = [
    await medianMs((run) => countTokensHere(encodeCount({ model: "gpt-4o", texts: [text(run)] }))),
    await medianMs((run) => workers.countTokens({ model: "gpt-4o", texts: [text(run)] })),
  ];
  for (const encoding of ENCODINGS) {
    cells.push(await medianMs(() => compressBytes(body, encoding)));
    cells.push(body.length / compressBytes(body, encoding).length);
  }
  row(String(kib), ...cells, await medianMs(() => workers.compress(body, "zstd")));
}
await workers.close();
