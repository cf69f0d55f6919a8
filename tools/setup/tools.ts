import { existsSync, mkdirSync, mkdtempSync, renameSync } from "node:fs";
import { arch } from "node:os";
import { join } from "node:path";
import { run } from "./command.ts";
import { findGo } from "./go.ts";
import { CACHED, type Progress } from "./progress.ts";
import { RECIPES, type Recipe, type ToolName, toolFolderName } from "./recipes.ts";

/** Where the binary of each tool is. */
export type ToolPaths = Readonly<Record<ToolName, string>>;

/** The paths that the tools have once they are built; nothing is built or looked at. */
export function toolPaths(cache: string): ToolPaths {
  const path = (recipe: Recipe): string => join(folderOf(cache, recipe), recipe.name);
  return Object.fromEntries(RECIPES.map((recipe) => [recipe.name, path(recipe)])) as ToolPaths;
}

/** The tools of the cluster that are not in the cache. */
export function missingTools(cache: string): ToolName[] {
  return RECIPES.filter((recipe) => recipe.purpose === "Cluster" && !isBuilt(cache, recipe)).map(
    (recipe) => recipe.name,
  );
}

/**
 * Builds what is missing, one tool after the other (each build uses all processors), and answers all paths. Without `only`: what the
 * cluster needs.
 */
export async function buildTools(
  cache: string,
  progress: Progress,
  only?: readonly ToolName[],
): Promise<ToolPaths> {
  for (const recipe of RECIPES) {
    if (only ? !only.includes(recipe.name) : recipe.purpose !== "Cluster") continue;
    await progress.step(
      recipe.label,
      async () => (isBuilt(cache, recipe) ? CACHED : build(cache, recipe)),
      (outcome) => outcome,
    );
  }
  return toolPaths(cache);
}

function folderOf(cache: string, recipe: Recipe): string {
  return join(cache, "tools", toolFolderName(recipe, arch()));
}

function isBuilt(cache: string, recipe: Recipe): boolean {
  return existsSync(join(folderOf(cache, recipe), recipe.name));
}

async function build(cache: string, recipe: Recipe): Promise<undefined> {
  const folder = folderOf(cache, recipe);
  mkdirSync(join(cache, "tools"), { recursive: true });
  const scratch = mkdtempSync(join(cache, "tools", `.${recipe.name}-`));
  try {
    const out = join(scratch, "out");
    mkdirSync(out);
    const go = await findGo(cache);
    const env = {
      ...process.env,
      CGO_ENABLED: "0",
      GOTOOLCHAIN: "local",
      GOWORK: "off",
      GOFLAGS: "-buildvcs=false",
    };
    await recipe.build({ go, env, scratch, output: join(out, recipe.name) });
    // A binary counts as built only when it stands under its final name, so an interrupted build leaves nothing behind.
    if (!existsSync(folder)) renameSync(out, folder);
    return undefined;
  } finally {
    await run(["rm", "-rf", scratch]);
  }
}
