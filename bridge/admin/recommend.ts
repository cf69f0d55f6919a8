import type { LocalAlert } from "../../contract/status.ts";

export interface Tuned {
  readonly alerts: readonly LocalAlert[];
  readonly heapLimitBytes: number;
  readonly containerLimitBytes: number | undefined;
  readonly nodeOptions: string;
}

const MIB = 1024 * 1024;

/** What this pod would change about its own tuning: the active alerts' recommendations, and a heap limit that fits its container badly. */
export function recommendations(tuned: Tuned): string[] {
  const result = new Set(tuned.alerts.map((alert) => alert.recommendation));
  const { containerLimitBytes, heapLimitBytes } = tuned;
  if (containerLimitBytes !== undefined) {
    const heapMiB = Math.round(heapLimitBytes / MIB);
    const containerMiB = Math.round(containerLimitBytes / MIB);
    if (heapLimitBytes > 0.9 * containerLimitBytes) {
      result.add(
        `The heap limit of ${heapMiB} MiB leaves too little of the container's ${containerMiB} MiB for buffers and threads; lower it or let the operator choose.`,
      );
    } else if (heapLimitBytes < 0.25 * containerLimitBytes) {
      result.add(
        `The heap limit of ${heapMiB} MiB uses little of the container's ${containerMiB} MiB; let the operator choose it, or lower the memory limit.`,
      );
    }
    if (tuned.nodeOptions === "") {
      result.add(
        "No NODE_OPTIONS are set in this container; let the operator render them from the memory limit.",
      );
    }
  }
  return [...result];
}
