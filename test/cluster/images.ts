import { run } from "../../tools/setup/command.ts";
import type { BuiltImage } from "../images/build-image.ts";
import { containerdSocket } from "./node.ts";
import type { ClusterSettings } from "./settings.ts";

const NAMESPACE = "k8s.io"; // where containerd keeps what kubelet sees

/** Imports an image into the node's containerd and gives it the further names. */
export async function importImage(
  settings: ClusterSettings,
  image: Pick<BuiltImage, "archive" | "name">,
  moreNames: readonly string[] = [],
): Promise<void> {
  const ctr = ["ctr", "--address", containerdSocket(settings), "--namespace", NAMESPACE, "images"] as const;
  await run([...ctr, "import", image.archive]);
  for (const name of moreNames) {
    await run([...ctr, "tag", "--force", `docker.io/${image.name}`, `docker.io/${name}`]);
  }
}
