import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { type Lock, processId } from "./lock.ts";

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

/** Nobody else starts, stops or changes the cluster meanwhile. */
export const clusterLock = (workFolder: string, note?: Lock["note"]): Lock => ({
  path: `${workFolder}.lock`,
  doing: "starting or stopping the cluster",
  ...(note === undefined ? {} : { note }),
});
