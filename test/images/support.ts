import { basename, dirname, join } from "node:path";
import { cacheRoot } from "../../tools/setup/cache.ts";
import { createProgress, type Progress } from "../../tools/setup/progress.ts";
import { buildTools, type ToolPaths } from "../../tools/setup/tools.ts";
import { withLock } from "../cluster/lock.ts";
import { type BuiltImage, builtImage } from "./build-image.ts";

export const PAUSE_IMAGE = "llmbridge-test/pause:1";
export const COREDNS_IMAGE = "llmbridge-test/coredns:1";

/** The images without which no pod starts: pause, and CoreDNS. */
export async function supportImages(cache: string, tools: ToolPaths): Promise<readonly BuiltImage[]> {
  return [
    await toolImage(cache, tools, PAUSE_IMAGE, "pause"),
    await toolImage(cache, tools, COREDNS_IMAGE, "coredns"),
  ];
}

/**
 * The gateway that one suite runs. Its minutes of compiling are `make test`'s to do beside what comes before (test/run.ts); a suite that is run by
 * itself on a machine without it waits.
 */
export async function gatewayImage(cache: string, progress: Progress): Promise<BuiltImage> {
  const lock = { path: join(cache, "traefik.lock"), doing: "building Traefik", note: progress.note };
  const tools = await withLock(lock, () => buildTools(cache, progress, ["traefik"]));
  return toolImage(cache, tools, "llmbridge-test/traefik:1", "traefik");
}

function toolImage(
  cache: string,
  tools: ToolPaths,
  name: string,
  target: "pause" | "coredns" | "traefik",
): Promise<BuiltImage> {
  return builtImage(cache, {
    name,
    target,
    dockerfile: join(import.meta.dirname, "support.Dockerfile"),
    context: dirname(tools[target]),
    inputs: [],
    uncompressed: true,
    // The tool's folder name holds the hash of all that decides the binary.
    basedOn: [basename(dirname(tools[target]))],
  });
}

if (import.meta.main) {
  const progress = createProgress({ write: (text) => process.stdout.write(text), nowMs: Date.now });
  await gatewayImage(cacheRoot(process.env), progress);
}
