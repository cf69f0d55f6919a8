import { spawn } from "node:child_process";
import { closeSync, openSync, readdirSync, readFileSync } from "node:fs";
import { until } from "./until.ts";

/** A process and the moment it started, so that a number used again is not taken for the old process. */
export interface ProcessId {
  readonly pid: number;
  /** Clock ticks since the machine started. */
  readonly startTicks: number;
}

/** Every process we start carries this variable with the work folder as its value; nothing else does. */
const MARK = "LLMBRIDGE_TEST_OWNER";

export interface SpawnRequest {
  readonly argv: readonly [string, ...string[]];
  readonly owner: string;
  readonly logFile: string;
  readonly cwd: string;
}

/** Starts a process that outlives us and writes to its log file. Throws when the command cannot be started. */
export async function spawnDetached(request: SpawnRequest): Promise<ProcessId> {
  const log = openSync(request.logFile, "a");
  try {
    const [file, ...rest] = request.argv;
    const child = spawn(file, rest, {
      cwd: request.cwd,
      detached: true,
      stdio: ["ignore", log, log],
      env: { PATH: `${process.env.PATH ?? ""}:/usr/sbin:/sbin`, HOME: request.cwd, [MARK]: request.owner },
    });
    await new Promise<void>((resolve, reject) => child.once("spawn", resolve).once("error", reject));
    child.unref();
    const id = identify(child.pid ?? 0);
    if (id === undefined) throw new Error(`${file} ended at once; see ${request.logFile}`);
    return id;
  } finally {
    closeSync(log);
  }
}

/** The identity of a living process; undefined when there is none or it is a zombie. */
export function identify(pid: number): ProcessId | undefined {
  try {
    // The command's name stands in parentheses and may hold anything; the fields are counted behind it.
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    if (fields[0] === "Z" || fields[0] === "X") return undefined;
    return { pid, startTicks: Number(fields[19]) };
  } catch {
    return undefined;
  }
}

export function isAlive(id: ProcessId): boolean {
  return identify(id.pid)?.startTicks === id.startTicks;
}

/** The first child of a process (how a process behind `unshare --fork` or `nsenter` is reached). */
export function childOf(pid: number): ProcessId | undefined {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ");
    return identify(Number(children[0]));
  } catch {
    return undefined;
  }
}

/** All living processes that were started for this owner, their children included. */
export function ownedBy(owner: string): ProcessId[] {
  const wanted = `${MARK}=${owner}`;
  return processIds().flatMap((pid) => {
    const id = environmentOf(pid).includes(wanted) ? identify(pid) : undefined;
    return id === undefined ? [] : [id];
  });
}

/** The owners of all processes on this machine that carry our mark. */
export function owners(): Set<string> {
  const prefix = `${MARK}=`;
  const found = processIds().flatMap((pid) => environmentOf(pid).filter((entry) => entry.startsWith(prefix)));
  return new Set(found.map((entry) => entry.slice(prefix.length)));
}

/** Kills processes and waits until they are gone. */
export async function kill(
  ids: readonly ProcessId[],
  signal: "SIGKILL" | "SIGTERM" = "SIGKILL",
): Promise<void> {
  for (const id of ids) {
    if (isAlive(id)) send(id.pid, signal);
  }
  await until("processes to end", 30_000, async () => {
    const alive = ids.filter(isAlive);
    return alive.length === 0 ? undefined : `still alive: ${alive.map(describe).join(", ")}`;
  });
}

/** Kills whatever is owned, again and again until nothing is, since a process may start another while we look. */
export async function killOwned(owner: string): Promise<void> {
  // A process that is being taken apart has no environment any more, but it still holds its sockets.
  const seen = new Map<number, ProcessId>();
  // One that was started this moment shows no environment yet: Linux closes the pipe that tells of its start before it sets that up.
  let emptyLooks = 0;
  await until(`processes of ${owner} to end`, 30_000, async () => {
    for (const id of ownedBy(owner)) {
      seen.set(id.pid, id);
      send(id.pid, "SIGKILL");
    }
    const alive = [...seen.values()].filter(isAlive);
    emptyLooks = alive.length === 0 ? emptyLooks + 1 : 0;
    return emptyLooks >= 2 ? undefined : `still alive: ${alive.map(describe).join(", ")}`;
  });
}

function describe(id: ProcessId): string {
  try {
    return `${id.pid} ${readFileSync(`/proc/${id.pid}/comm`, "utf8").trim()}`;
  } catch {
    return String(id.pid);
  }
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

function processIds(): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

function environmentOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, "utf8").split("\0");
  } catch {
    return []; // gone meanwhile, or not ours to read
  }
}
