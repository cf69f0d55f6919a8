import { freePort } from "../../test/servers/free-port.ts";
import type { ServerProcess } from "../../test/servers/process.ts";
import type { Bed } from "./bed.ts";
import type { Contestant } from "./contestants.ts";
import type { Kind } from "./objects.ts";
import type { createTable } from "./table.ts";

/** A contestant that runs, and what it rolls out. */
export interface Side {
  readonly contestant: Contestant;
  readonly kind: Kind;
  process: ServerProcess;
  /** Of the next edit. */
  version: number;
}

/** One invocation of the bench. */
export interface Run {
  readonly bed: Bed;
  readonly ours: Side;
  /** Absent where no part compares. */
  readonly peers: Side | undefined;
  readonly objects: number;
  /** So many of each side. */
  readonly edits: number;
  readonly storm: number;
  /** How long the storm may last at most. */
  readonly stormMinutes: number;
  readonly soakMinutes: number;
  readonly table: ReturnType<typeof createTable>;
  readonly say: (text: string) => void;
}

/** Of a part that compares. */
export function bothOf({ ours, peers }: Run): readonly [Side, Side] {
  if (!peers) throw new Error("nobody was started to compare with");
  return [ours, peers];
}

export async function startOne(contestant: Contestant): Promise<ServerProcess> {
  if (contestant.user === "llmbridge") return contestant.start();
  const [health, metrics] = [await freePort(), await freePort()];
  return contestant.start([`--healthzPort=${health}`, `--metricsPort=${metrics}`]);
}
