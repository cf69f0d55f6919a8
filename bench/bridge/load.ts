import { connect, type Socket } from "node:net";
import { END_OF_ANSWER, requestBytes } from "./wire.ts";

export interface LoadResult {
  readonly requests: number;
  readonly seconds: number;
  /** Milliseconds, ascending. */
  readonly latencies: Float64Array;
}

/** Closed loop: each connection sends its next request when the answer to the last one is complete. */
export async function runLoad(port: number, connections: number, seconds: number): Promise<LoadResult> {
  const bytes = requestBytes(`127.0.0.1:${port}`);
  const latencies: number[] = [];
  const started = performance.now();
  const until = started + seconds * 1000;
  const run = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const socket: Socket = connect(port, "127.0.0.1");
      socket.setNoDelay(true);
      let sentAt = 0;
      const send = (): void => {
        sentAt = performance.now();
        socket.write(bytes);
      };
      socket.on("connect", send);
      socket.on("error", reject);
      socket.on("close", () => resolve());
      socket.on("data", (chunk) => {
        // The mark may be cut in two by a chunk's end only where an answer exceeds a segment; these do not.
        if (chunk.indexOf(END_OF_ANSWER, Math.max(0, chunk.length - END_OF_ANSWER.length - 7)) === -1) return;
        const now = performance.now();
        latencies.push(now - sentAt);
        if (now < until) send();
        else socket.destroy();
      });
    });
  await Promise.all(Array.from({ length: connections }, run));
  return {
    requests: latencies.length,
    seconds: (performance.now() - started) / 1000,
    latencies: Float64Array.from(latencies).sort(),
  };
}

export function percentile(sorted: Float64Array, share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

export function median(values: readonly number[]): number {
  const sorted = Float64Array.from(values).sort();
  return ((sorted[(sorted.length - 1) >> 1] ?? Number.NaN) + (sorted[sorted.length >> 1] ?? Number.NaN)) / 2;
}
