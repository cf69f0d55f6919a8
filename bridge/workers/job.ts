import { compressBytes, type Encoding } from "./compress.ts";
import { countTokensHere, type EncodedCount } from "./tokens.ts";

/** What a worker thread can do; plain values only, since it is cloned into the thread. */
export type Job =
  | { readonly kind: "count-tokens"; readonly count: EncodedCount }
  | { readonly kind: "compress"; readonly body: Uint8Array; readonly encoding: Encoding };

/** Labels of the job histograms. */
export const JOB_KINDS: readonly Job["kind"][] = ["count-tokens", "compress"];
export type JobResult = number | Uint8Array;

/** Does a job on the thread that calls it. */
export function runJob(job: Job): JobResult | Promise<JobResult> {
  switch (job.kind) {
    case "count-tokens":
      return countTokensHere(job.count);
    case "compress":
      // A copy of exactly its bytes: cloning a slice would clone the whole buffer that it is a slice of.
      return Uint8Array.from(compressBytes(job.body, job.encoding));
  }
}

/** The memory that a job gives away to the thread instead of being copied into it. */
export function transfers(job: Job): ArrayBuffer[] {
  const bytes = job.kind === "compress" ? job.body : job.count.bytes;
  return bytes.buffer instanceof ArrayBuffer ? [bytes.buffer] : [];
}
