import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { run } from "../../tools/setup/command.ts";

/**
 * Runs buildah with a store of its own in the cache, so that nobody's images are touched, and in a mount namespace of
 * its own, so that the mounts it makes end with it.
 */
export function buildah(cache: string, argv: readonly string[]): Promise<string> {
  const store = join(cache, "buildah");
  const scratch = join(cache, "buildah-tmp"); // where RUN --mount=type=cache keeps its folders
  for (const folder of [store, scratch]) mkdirSync(folder, { recursive: true });
  const where = ["--root", store, "--runroot", join(cache, "buildah-run"), "--storage-driver", "overlay"];
  return run(["unshare", "--mount", "buildah", ...where, ...argv], {
    env: { ...process.env, TMPDIR: scratch },
  });
}
