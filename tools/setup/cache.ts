import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { join, relative } from "node:path";

/** The folder that keeps what is built once per machine: `$LLMBRIDGE_CACHE`, else the XDG cache folder. */
export function cacheRoot(env: NodeJS.ProcessEnv): string {
  if (env.LLMBRIDGE_CACHE) return env.LLMBRIDGE_CACHE;
  return join(env.XDG_CACHE_HOME || join(env.HOME || homedir(), ".cache"), "llmbridge");
}

/** Twelve hexadecimal digits that change whenever one of the parts changes; `["ab","c"]` and `["a","bc"]` differ. */
export function cacheKey(parts: readonly string[]): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(`${part.length}:`).update(part);
  return hash.digest("hex").slice(0, 12);
}

export interface FileSelection {
  /** Answers whether a path (relative to the root, with forward slashes) counts; folders are asked too. */
  readonly keep?: (path: string) => boolean;
}

/**
 * Path and content of every file below the given files and folders, in a stable order, as parts for {@link cacheKey}.
 * Throws when a path does not exist.
 */
export function fileParts(root: string, paths: readonly string[], selection: FileSelection = {}): string[] {
  const keep = selection.keep ?? (() => true);
  const parts: string[] = [];
  const visit = (path: string): void => {
    const name = relative(root, path);
    if (!keep(name)) return;
    if (statSync(path).isDirectory()) {
      for (const entry of readdirSync(path).sort()) visit(join(path, entry));
      return;
    }
    parts.push(name, readFileSync(path, "base64"));
  };
  for (const path of [...paths].sort()) visit(join(root, path));
  return parts;
}
