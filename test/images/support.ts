import { basename, dirname, join } from "node:path";
import type { ToolPaths } from "../../tools/setup/tools.ts";
import { type BuiltImage, builtImage } from "./build-image.ts";

export const PAUSE_IMAGE = "llmbridge-test/pause:1";
export const COREDNS_IMAGE = "llmbridge-test/coredns:1";

/** The images without which no pod starts: pause, and CoreDNS. */
export async function supportImages(cache: string, tools: ToolPaths): Promise<readonly BuiltImage[]> {
  const image = (name: string, target: "pause" | "coredns"): Promise<BuiltImage> =>
    builtImage(cache, {
      name,
      target,
      dockerfile: join(import.meta.dirname, "support.Dockerfile"),
      context: dirname(tools[target]),
      inputs: [],
      uncompressed: true,
      // The tool's folder name holds the hash of all that decides the binary.
      basedOn: [basename(dirname(tools[target]))],
    });
  return [await image(PAUSE_IMAGE, "pause"), await image(COREDNS_IMAGE, "coredns")];
}
