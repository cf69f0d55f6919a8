import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "../../tools/setup/command.ts";
import { type ClusterSettings, otherClusters } from "./settings.ts";

/** What a machine has that a cluster could leave behind, as sorted lines that can be compared. */
export interface MachineState {
  readonly links: readonly string[];
  readonly routes: readonly string[];
  readonly mounts: readonly string[];
  readonly networkNamespaces: readonly string[];
  readonly cgroups: readonly string[];
  readonly folders: readonly string[];
}

/** Reads the state, leaving out everything that belongs to other clusters, which come and go beside this one. */
export async function machineState(settings: ClusterSettings): Promise<MachineState> {
  const marks = otherClusters(settings).flatMap(({ link, cgroup, network }) => [link, cgroup, `${network}.`]);
  const isForeign = (line: string): boolean => marks.some((mark) => line.includes(mark));
  const lines = (text: string): string[] =>
    text
      .split("\n")
      .filter((line) => line !== "" && !isForeign(line))
      .sort();
  const names = (folder: string): string[] => (existsSync(folder) ? readdirSync(folder).sort() : []);
  const hierarchies = names("/sys/fs/cgroup").map((name) => join("/sys/fs/cgroup", name));
  const links = names("/sys/class/net").filter((name) => !isForeign(name));
  return {
    links,
    routes: lines(await run(["ip", "route", "show", "table", "all"])),
    mounts: lines(readFileSync("/proc/self/mounts", "utf8")),
    networkNamespaces: names("/run/netns"),
    cgroups: hierarchies.flatMap(foldersIn).filter((path) => path.includes("llmbridge") && !isForeign(path)),
    folders: ["/var/lib/kubelet", "/var/log/containers", "/opt/containerd", "/etc/cni"].filter(existsSync),
  };
}

function foldersIn(path: string): string[] {
  try {
    const entries = readdirSync(path, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map((entry) => join(path, entry.name));
  } catch {
    return []; // a file, or gone
  }
}
