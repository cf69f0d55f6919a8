/**
 * The operator's judgement of a canary, simulated beside the methods of the literature and the rules of its peers: false rollbacks, false
 * promotions, and how many bad canaries are found how soon. `make bench-evidence`, or
 * `node bench/evidence.ts [--runs=10000] [--seed=...] [--threads=2] [--only=gates] [--write]`; `--runs=300` is quick.
 *
 * With --write, docs/evidence.md and its plot are written. The seed of what is published is used for nothing else: develop with another.
 */
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { Worker } from "node:worker_threads";
import { CELLS } from "./evidence/cells.ts";
import { gateTable } from "./evidence/gates.ts";
import type { Part, Tally } from "./evidence/measure.ts";
import { plot } from "./evidence/plot.ts";
import { report, writeReport } from "./evidence/report.ts";

const PUBLISHED_SEED = 20_261_122;
const PART_RUNS = 250;
const DOCUMENT = "docs/evidence.md";

const { values } = parseArgs({
  options: {
    runs: { type: "string", default: "10000" },
    seed: { type: "string", default: String(PUBLISHED_SEED) },
    threads: { type: "string", default: "2" },
    only: { type: "string", default: "" },
    write: { type: "boolean", default: false },
  },
});
const RUNS = Number(values.runs);

/** A gauge is drawn look by look, sixteen of them in some rows. */
const GATE_RUNS = Math.min(300, RUNS);

function gates(): void {
  const text = gateTable(Number(values.seed), GATE_RUNS);
  console.log(text);
  if (values.write) writeReport(DOCUMENT, "bench-gates", text);
}

async function signals(): Promise<void> {
  const startedMs = Date.now();
  const parts = CELLS.flatMap((_, cell) =>
    Array.from({ length: Math.ceil(RUNS / PART_RUNS) }, (_, part): Part => {
      const runs = Math.min(PART_RUNS, RUNS - part * PART_RUNS);
      return { cell, seed: Number(values.seed), part, runs };
    }),
  );
  const tallies: Tally[] = CELLS.map(() => ({}));
  const open = parts.values();
  let done = 0;
  await Promise.all(
    Array.from({ length: Number(values.threads) }, async () => {
      const worker = new Worker(new URL("./evidence/worker.ts", import.meta.url));
      // One iterator for all: each thread takes the next part when it has done its last.
      for (const part of open) {
        worker.postMessage(part);
        const [tally] = (await once(worker, "message")) as [Tally];
        tallies[part.cell] = sum(tallies[part.cell] ?? {}, tally);
        if (++done % 100 === 0) console.error(`${done} of ${parts.length} parts`);
      }
      await worker.terminate();
    }),
  );
  console.error(`${((Date.now() - startedMs) / 60_000).toFixed(1)} minutes`);
  console.log(report(tallies, RUNS));
  if (!values.write) return;
  writeReport(DOCUMENT, "bench-evidence", report(tallies, RUNS));
  writeFileSync("docs/evidence.svg", plot(tallies, RUNS));
}

function sum(known: Tally, more: Tally): Tally {
  const result: Tally = { ...known };
  for (const [name, levels] of Object.entries(more) as [keyof Tally, number[][]][]) {
    result[name] = levels.map((minutes, level) =>
      minutes.map((count, minute) => count + (known[name]?.[level]?.[minute] ?? 0)),
    );
  }
  return result;
}

gates();
if (values.only !== "gates") await signals();
