import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { run } from "../../tools/setup/command.ts";
import type { BuiltImage } from "../images/build-image.ts";
import { containerdSocket } from "./node.ts";
import type { ClusterSettings } from "./settings.ts";

const NAMESPACE = "k8s.io"; // where containerd keeps what kubelet sees

/**
 * Imports an image into the node's containerd and gives it the further names. At once where this very archive was the last of its name
 * to be imported: unpacking takes seconds, and nothing removes images from the node (kubelet's garbage collector is off).
 */
export async function importImage(
  settings: ClusterSettings,
  image: Pick<BuiltImage, "archive" | "name">,
  moreNames: readonly string[] = [],
): Promise<void> {
  const ctr = ["ctr", "--address", containerdSocket(settings), "--namespace", NAMESPACE, "images"] as const;
  const imported = join(settings.workFolder, "imported", image.name.replaceAll(/[^\w.-]+/g, "_"));
  const mark = join(imported, basename(image.archive));
  if (!existsSync(mark)) {
    rmSync(imported, { recursive: true, force: true });
    await run([...ctr, "import", image.archive]);
    mkdirSync(imported, { recursive: true });
    writeFileSync(mark, "");
  }
  for (const name of moreNames) {
    await run([...ctr, "tag", "--force", `docker.io/${image.name}`, `docker.io/${name}`]);
  }
}
