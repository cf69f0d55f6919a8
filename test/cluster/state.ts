import { existsSync, linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { z } from "zod";
import { identify, isAlive, type ProcessId } from "./processes.ts";
import { until } from "./until.ts";

const processId = z.object({ pid: z.number(), startTicks: z.number() });
const running = z.object({
  component: z.object({
    name: z.string(),
    argv: z.tuple([z.string()], z.string()).readonly(),
    place: z.enum(["Host", "Node"]),
  }),
  process: processId,
});
const clusterState = z.object({
  /** Hash of what the cluster was started from. */
  inputs: z.string(),
  startedAtMs: z.number(),
  node: processId,
  /** By component name; a component that was stopped on purpose stays here and is listed in `stopped`. */
  running: z.record(z.string(), running),
  stopped: z.array(z.string()),
});

/** What is known of a cluster that is up, for whoever comes later. */
export type ClusterState = z.infer<typeof clusterState>;

const statePath = (workFolder: string): string => join(workFolder, "state.json");

/** The state of a cluster that was started completely; undefined when there is none. */
export function readState(workFolder: string): ClusterState | undefined {
  const path = statePath(workFolder);
  if (!existsSync(path)) return undefined;
  const parsed = clusterState.safeParse(JSON.parse(readFileSync(path, "utf8")));
  return parsed.success ? parsed.data : undefined;
}

export function writeState(workFolder: string, state: ClusterState): void {
  const path = statePath(workFolder);
  writeFileSync(`${path}.new`, JSON.stringify(state, null, 1));
  renameSync(`${path}.new`, path);
}

/** Runs `work` while nobody else starts or stops the cluster; the lock of a holder that died is taken over. */
export async function withLock<T>(
  workFolder: string,
  note: (text: string) => void,
  work: () => Promise<T>,
): Promise<T> {
  const path = `${workFolder}.lock`;
  mkdirSync(dirname(path), { recursive: true });
  let told = false;
  await until(
    "the cluster's lock",
    180_000,
    async () => {
      if (tryLock(path)) return undefined;
      const holder = lockHolder(path);
      if (holder === undefined || !isAlive(holder)) {
        rmSync(path, { force: true });
        return "the lock of a process that has ended";
      }
      if (!told) note(`Process ${holder.pid} is starting or stopping the cluster; waiting for it.`);
      told = true;
      return `process ${holder.pid} holds ${path}`;
    },
    100,
  );
  try {
    return await work();
  } finally {
    rmSync(path, { force: true });
  }
}

function tryLock(path: string): boolean {
  // Linked into place with its content, so that nobody ever reads a lock that does not say yet who holds it.
  const own = `${path}.${process.pid}`;
  writeFileSync(own, JSON.stringify(identify(process.pid)));
  try {
    linkSync(own, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  } finally {
    rmSync(own, { force: true });
  }
}

function lockHolder(path: string): ProcessId | undefined {
  try {
    return processId.parse(JSON.parse(readFileSync(path, "utf8")));
  } catch {
    return undefined;
  }
}
