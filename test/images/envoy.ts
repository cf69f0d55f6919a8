import { basename, dirname, join } from "node:path";
import { cacheRoot } from "../../tools/setup/cache.ts";
import { provide } from "../../tools/setup/main.ts";
import { runProgram } from "../../tools/setup/program.ts";
import type { Progress } from "../../tools/setup/progress.ts";
import { buildTools, type ToolPaths } from "../../tools/setup/tools.ts";
import { withLock } from "../cluster/lock.ts";
import type { BuiltImage } from "./build-image.ts";
import { imageOnNodeBase } from "./product.ts";

/** The gateway that copies requests. */
export interface EnvoyImages {
  /** Envoy Gateway: makes and leads the Envoys of each Gateway. */
  readonly controller: BuiltImage;
  readonly envoy: BuiltImage;
  /** Folder with the definitions of the controller's resources. */
  readonly definitions: string;
}

/** Builds what is missing of it: minutes the first time, so `make test-envoy-gateway` has it done before any cluster is up. */
export async function envoyImages(cache: string, progress: Progress): Promise<EnvoyImages> {
  const lock = { path: join(cache, "envoy.lock"), doing: "building Envoy Gateway", note: progress.note };
  const tools = await withLock(lock, () => buildTools(cache, progress, ["envoy", "envoy-gateway"]));
  return {
    controller: await imageOf(cache, tools, "envoy-gateway"),
    envoy: await imageOf(cache, tools, "envoy"),
    definitions: join(dirname(tools["envoy-gateway"]), "files"),
  };
}

function imageOf(cache: string, tools: ToolPaths, target: "envoy" | "envoy-gateway"): Promise<BuiltImage> {
  const folder = dirname(tools[target]);
  return imageOnNodeBase(cache, {
    name: `llmbridge-test/${target}:1`,
    target,
    dockerfile: join(import.meta.dirname, "envoy.Dockerfile"),
    context: folder,
    inputs: [],
    // The tool's folder name holds the hash of all that decides the binary.
    basedOn: [basename(folder)],
  });
}

if (import.meta.main)
  await runProgram(async (progress) => {
    await provide(["images", "go"], progress);
    await envoyImages(cacheRoot(process.env), progress);
  });
