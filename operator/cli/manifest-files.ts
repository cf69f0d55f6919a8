import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { CliFailure } from "./failure.ts";
import type { Terminal } from "./terminal.ts";

/** The text of a file, or of stdin. */
export interface ManifestText {
  /** As a person would find it: the path, or "stdin". */
  readonly place: string;
  readonly text: string;
  /** Named by the person, and not found in a folder. */
  readonly isNamed: boolean;
}

/** What kubectl reads of a folder. */
const MANIFEST = /\.(ya?ml|json)$/;

/**
 * Reads files, folders (their manifests, those below them too where `recursive`) and `-` for stdin, in the order given.
 * @throws CliFailure where there is no such file, or no manifest in a folder
 */
export async function readManifests(
  names: readonly string[],
  recursive: boolean,
  terminal: Pick<Terminal, "readStdin">,
): Promise<readonly ManifestText[]> {
  const found: ManifestText[] = [];
  for (const name of names) {
    if (name === "-") found.push({ place: "stdin", text: await terminal.readStdin(), isNamed: true });
    else found.push(...(await readPath(name, recursive)));
  }
  return found;
}

async function readPath(name: string, recursive: boolean): Promise<readonly ManifestText[]> {
  try {
    if (!(await stat(name)).isDirectory())
      return [{ place: name, text: await readFile(name, "utf8"), isNamed: true }];
    const entries = await readdir(name, { recursive, withFileTypes: true });
    const paths = entries
      .filter((entry) => entry.isFile() && MANIFEST.test(entry.name))
      .map((entry) => join(entry.parentPath, entry.name))
      .sort();
    if (paths.length === 0)
      throw new CliFailure(
        `there is no .yaml, .yml or .json file in ${name}${recursive ? "" : "; -R looks below it too"}.`,
      );
    return await Promise.all(
      paths.map(async (path) => ({ place: path, text: await readFile(path, "utf8"), isNamed: false })),
    );
  } catch (error) {
    if (error instanceof CliFailure) throw error;
    const code = (error as NodeJS.ErrnoException).code;
    throw new CliFailure(
      code === "ENOENT" ? `there is no file ${name}.` : `${name} cannot be read (${code}).`,
    );
  }
}
