// Piscina starts a thread from the file worker.js beside its own code. In the bundle that name is this file, so it brings
// Piscina's part along; run from the sources, this line finds the module loaded already and does nothing.
import "../../node_modules/piscina/dist/worker.js";
import { PerformanceObserver } from "node:perf_hooks";
import { parentPort } from "node:worker_threads";
import { createGcTally } from "./gc-tally.ts";
import { type Job, type JobResult, runJob } from "./job.ts";

/** At most this often the thread tells of its garbage collections. */
const TELL_EVERY_MS = 1_000;

const tally = createGcTally();
let isToldSoon = false;

function tell(): void {
  isToldSoon = false;
  parentPort?.postMessage(tally.take());
}

const observer = new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) tally.add(entry);
  if (isToldSoon) return;
  isToldSoon = true;
  setTimeout(tell, TELL_EVERY_MS).unref();
});
observer.observe({ entryTypes: ["gc"] });

/** The thread's task, called by Piscina once a job. */
export default function run(job: Job): JobResult | Promise<JobResult> {
  return runJob(job);
}
