import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { childOf, isAlive, kill, type ProcessId, spawnDetached } from "./processes.ts";
import { Hopeless, until } from "./until.ts";

/** A program of the cluster, as it is started, stopped and started again. */
export interface Component {
  readonly name: string;
  readonly argv: readonly [string, ...string[]];
  /** Where it runs: among the machine's processes, or inside the node's namespaces. */
  readonly place: "Host" | "Node";
}

/** What is known of a started component; it is kept in the state file. */
export interface Running {
  readonly component: Component;
  readonly process: ProcessId;
}

export interface Surroundings {
  /** The owner's mark of all processes; the work folder. */
  readonly owner: string;
  /** The node's first process, present once the node exists. */
  readonly node?: ProcessId;
}

export function logFile(workFolder: string, component: string): string {
  return join(workFolder, "log", `${component}.log`);
}

/** Starts a component; it is running, not necessarily ready, when this returns. */
export async function startComponent(component: Component, where: Surroundings): Promise<Running> {
  const log = logFile(where.owner, component.name);
  const common = { owner: where.owner, logFile: log, cwd: where.owner };
  if (component.place === "Host")
    return { component, process: await spawnDetached({ ...common, argv: component.argv }) };
  if (where.node === undefined)
    throw new Error(`${component.name} runs in the node, which does not exist yet`);
  // `ip netns exec` would remount /sys and hide the cgroups; nsenter leaves the node's mounts as they are.
  const enter = ["nsenter", "--target", String(where.node.pid), "--mount", "--net", "--pid"] as const;
  const outer = await spawnDetached({ ...common, argv: [...enter, "--", ...component.argv] });
  return { component, process: await innerProcess(outer, component.name, log) };
}

export async function stopComponent(
  running: Running,
  signal: "SIGKILL" | "SIGTERM" = "SIGKILL",
): Promise<void> {
  await kill([running.process], signal);
}

/** Fails at once, with the last lines of its log, when the component has ended. */
export function demandAlive(running: Running, owner: string): void {
  if (isAlive(running.process)) return;
  throw new Hopeless(
    `${running.component.name} has ended:\n${logTail(logFile(owner, running.component.name))}`,
  );
}

function logTail(path: string, lines = 12): string {
  if (!existsSync(path)) return "(no log)";
  return readFileSync(path, "utf8").trimEnd().split("\n").slice(-lines).join("\n");
}

/** A program that enters a pid namespace forks; its child is the one that matters. */
export async function innerProcess(outer: ProcessId, name: string, log: string): Promise<ProcessId> {
  let inner: ProcessId | undefined;
  await until(
    `${name} to start`,
    10_000,
    async () => {
      inner = childOf(outer.pid);
      if (inner === undefined && !isAlive(outer)) throw new Hopeless(`${name} has ended:\n${logTail(log)}`);
      return inner === undefined ? "no process yet" : undefined;
    },
    5,
  );
  if (inner === undefined) throw new Error(`${name} did not start`);
  return inner;
}
