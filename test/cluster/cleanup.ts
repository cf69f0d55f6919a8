import { existsSync, readFileSync, rmdirSync, rmSync } from "node:fs";
import { run } from "../../tools/setup/command.ts";
import { cgroupsExist, removeCgroups } from "./cgroups.ts";
import { withLock } from "./lock.ts";
import { linkExists, removeLink } from "./network.ts";
import { FIXED_FOLDERS, fixedFoldersLock } from "./node.ts";
import { killOwned, ownedBy, owners } from "./processes.ts";
import { type ClusterSettings, isWorkFolder } from "./settings.ts";

/**
 * Removes everything of a cluster, running or left over: processes (they carry the work folder in their environment;
 * the node's first process takes all containers and mounts with it), the veth pair with its routes, cgroups, and the
 * work folder. Safe to call when there is nothing.
 */
export async function removeCluster(settings: ClusterSettings, keepLogs = false): Promise<void> {
  const { workFolder } = settings;
  await killOwned(workFolder);
  await removeLink(settings.link);
  if (cgroupsExist(settings.cgroup)) await removeCgroups(settings.cgroup);
  for (const mount of mountsBelow(workFolder)) await run(["umount", "--lazy", mount]);
  await removeFixedFolders(settings);
  const doomed = keepLogs
    ? ["node", "etcd", "prometheus", "imported", "state.json"].map((name) => `${workFolder}/${name}`)
    : [workFolder];
  for (const path of doomed) rmSync(path, { recursive: true, force: true, maxRetries: 3 });
}

/**
 * Only when no other cluster is up: Linux unmounts what is mounted on a folder that is removed, in every mount namespace, so its kubelet
 * would lose its own.
 */
function removeFixedFolders(settings: ClusterSettings): Promise<void> {
  return withLock(fixedFoldersLock(settings), async () => {
    const others = [...owners()].filter((owner) => isWorkFolder(owner) && owner !== settings.workFolder);
    if (others.length === 0) for (const folder of FIXED_FOLDERS) removeIfEmpty(folder);
  });
}

/** What a cluster would leave behind, in words; empty when there is nothing. */
export function leftovers(settings: ClusterSettings): string[] {
  const { workFolder } = settings;
  return [
    ...ownedBy(workFolder).map((id) => `process ${id.pid}`),
    ...(linkExists(settings.link) ? [`network link ${settings.link}`] : []),
    ...(cgroupsExist(settings.cgroup) ? ["cgroups"] : []),
    ...mountsBelow(workFolder).map((mount) => `mount ${mount}`),
    ...(existsSync(workFolder) ? [`folder ${workFolder}`] : []),
  ];
}

/** Mount points below a folder as this process sees them, the deepest first. */
function mountsBelow(folder: string): string[] {
  return readFileSync("/proc/self/mounts", "utf8")
    .split("\n")
    .map((line) => line.split(" ")[1] ?? "")
    .filter((path) => path === folder || path.startsWith(`${folder}/`))
    .sort((left, right) => right.length - left.length);
}

function removeIfEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code !== "ENOENT" && code !== "ENOTEMPTY" && code !== "EBUSY") throw error;
  }
}
