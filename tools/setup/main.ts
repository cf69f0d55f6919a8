import { cacheRoot } from "./cache.ts";
import { installPackages, installPlan, missingNeeds, type NeedGroup, thisMachine } from "./debian.ts";
import { hasGo } from "./go.ts";
import { SetupProblem } from "./problem.ts";
import { runProgram } from "./program.ts";
import type { Progress } from "./progress.ts";
import { buildTools, missingTools, type ToolPaths } from "./tools.ts";

/**
 * Installs the Debian packages of the groups that this machine lacks; does nothing when all are there.
 * Throws {@link SetupProblem} with one sentence when a person has to install something first.
 */
export async function provide(groups: readonly NeedGroup[], progress: Progress): Promise<void> {
  const plan = installPlan(missingNeeds(groups, process.env.PATH ?? ""), thisMachine());
  switch (plan.kind) {
    case "Ask":
      throw new SetupProblem(plan.sentence);
    case "Install":
      await progress.step(`Debian packages (${plan.packages.length})`, () => installPackages(plan.packages));
      return;
    case "Nothing":
      return;
  }
}

/** Makes this machine ready: provides all packages and builds the tools that are not cached. */
export async function setUpMachine(progress: Progress): Promise<ToolPaths> {
  const cache = cacheRoot(process.env);
  const needsGo = missingTools(cache).length > 0 && !(await hasGo(cache));
  await provide(["cluster", "images", "backends", "shells", ...(needsGo ? (["go"] as const) : [])], progress);
  return buildTools(cache, progress);
}

if (import.meta.main) await runProgram(setUpMachine);
