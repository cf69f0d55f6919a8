import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { until } from "./until.ts";

const ROOT = "/sys/fs/cgroup";
/** What kubelet wants to limit pods by. */
const CONTROLLERS = ["cpu", "cpuset", "hugetlb", "io", "memory", "pids"];

/** cgroup v2 has its controllers' list at the root of the one hierarchy; v1 has a folder per controller there. */
function isUnified(): boolean {
  return existsSync(join(ROOT, "cgroup.controllers"));
}

/**
 * Processor time for all pods of a cluster together, in what one process outside it gets. They would count as one, and starve where an API server,
 * containerd, Prometheus and the tests' own processes have something to do: connections time out, and kubelet restarts what does not answer it.
 */
const WEIGHT = 16;
/** What one process has, in both versions' units. */
const ONE = { "cpu.shares": 1024, "cpu.weight": 100 };

function foldersOf(cgroup: string): string[] {
  if (isUnified()) return [join(ROOT, cgroup)];
  return readdirSync(ROOT).map((hierarchy) => join(ROOT, hierarchy, cgroup));
}

/** Makes the cgroup below which kubelet puts its pods. */
export function createCgroups(cgroup: string): void {
  if (isUnified()) {
    const available = readFileSync(join(ROOT, "cgroup.controllers"), "utf8").trim().split(" ");
    const wanted = CONTROLLERS.filter((name) => available.includes(name)).map((name) => `+${name}`);
    writeFileSync(join(ROOT, "cgroup.subtree_control"), wanted.join(" "));
    mkdirSync(join(ROOT, cgroup), { recursive: true });
    writeFileSync(join(ROOT, cgroup, "cgroup.subtree_control"), wanted.join(" "));
    weigh(join(ROOT, cgroup));
    return;
  }
  for (const folder of foldersOf(cgroup)) {
    mkdirSync(folder, { recursive: true });
    // A cpuset takes no process before it has processors and memory nodes; new ones start without.
    for (const file of ["cpuset.cpus", "cpuset.mems"]) {
      const parent = join(folder, "..", file);
      if (existsSync(parent)) writeFileSync(join(folder, file), readFileSync(parent, "utf8"));
    }
    weigh(folder);
  }
}

function weigh(folder: string): void {
  for (const [file, one] of Object.entries(ONE)) {
    if (existsSync(join(folder, file))) writeFileSync(join(folder, file), String(WEIGHT * one));
  }
}

/** Removes the cgroup and all below it, in every hierarchy; its processes must have ended. */
export async function removeCgroups(cgroup: string): Promise<void> {
  await until("cgroups to empty", 15_000, async () => {
    for (const folder of foldersOf(cgroup)) removeTree(folder);
    const left = foldersOf(cgroup).filter(existsSync);
    return left.length === 0 ? undefined : `${left.join(", ")} cannot be removed yet`;
  });
}

export function cgroupsExist(cgroup: string): boolean {
  return foldersOf(cgroup).some(existsSync);
}

/** The files of a cgroup vanish with its folder, so only folders are removed, the deepest first. */
function removeTree(folder: string): void {
  if (!existsSync(folder)) return;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) removeTree(join(folder, entry.name));
  }
  try {
    rmdirSync(folder);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    // Busy while its last process is being taken apart: the caller tries again.
    if (code !== "EBUSY" && code !== "ENOENT") throw error;
  }
}
