import { statSync } from "node:fs";
import { basename, dirname } from "node:path";
import { SetupProblem } from "../../tools/setup/problem.ts";
import { listenerOf, machineRoutes, rangeConflict } from "./network.ts";
import { owners } from "./processes.ts";
import type { ClusterSettings } from "./settings.ts";

/** Throws {@link SetupProblem} when this machine cannot hold the cluster now; called after leftovers are removed. */
export async function preflight(settings: ClusterSettings, newestInputMs: number): Promise<void> {
  const clock = clockProblem(Date.now(), newestInputMs);
  if (clock !== undefined) throw new SetupProblem(clock);
  const ranges = [settings.linkRange, settings.podRange, settings.serviceRange];
  const conflict = rangeConflict(ranges, await machineRoutes());
  if (conflict !== undefined) throw new SetupProblem(conflict);
  for (const [use, port] of Object.entries(settings.ports)) {
    const listener = listenerOf(use.startsWith("etcd") ? settings.loopback : settings.hostAddress, port);
    if (listener === undefined) continue;
    throw new SetupProblem(
      `Port ${port} is wanted for the test cluster (${use}), but process ${listener} listens on it; stop that process first.`,
    );
  }
}

/** Throws {@link SetupProblem} unless we are root, without whom nothing of the cluster can be made or removed. */
export function demandRoot(): void {
  if (process.getuid?.() === 0) return;
  throw new SetupProblem(
    "The test cluster makes network namespaces, mounts and cgroups; run this as root, for example with sudo.",
  );
}

/** Throws {@link SetupProblem} when a cluster of another cache folder uses the same network; it is not ours to remove. */
export function demandNoStranger(settings: ClusterSettings): void {
  const suffix = `/${basename(settings.workFolder)}`;
  const stranger = [...owners()].find((owner) => owner !== settings.workFolder && owner.endsWith(suffix));
  if (stranger === undefined) return;
  throw new SetupProblem(
    `Another test cluster uses ${settings.network} on this machine, with the work folder ${stranger}; stop it with LLMBRIDGE_CACHE=${dirname(stranger)} make cluster-down, or set LLMBRIDGE_CLUSTER_NETWORK to another network.`,
  );
}

const TOLERATED_SKEW_MS = 5 * 60_000;

/** When the newest of these files was made. What only benchmarks use need not be there. */
export function newestOf(paths: readonly string[]): number {
  return Math.max(0, ...paths.map((path) => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0));
}

/**
 * Says what is wrong with a clock that stands before something that has happened already (the build of a tool, or the
 * start of a running cluster): certificates made then would not be valid yet.
 */
export function clockProblem(nowMs: number, happenedMs: number): string | undefined {
  if (nowMs >= happenedMs - TOLERATED_SKEW_MS) return undefined;
  const text = (ms: number): string => new Date(ms).toISOString();
  return `This machine's clock says ${text(nowMs)}, which is before ${text(happenedMs)}, when something of the cluster was made; set the clock, or certificates will not be valid yet.`;
}
