import { execFile } from "node:child_process";
import { expect, it } from "vitest";
import { NODE_FLAGS } from "./node-flags.ts";

const VALUES: Readonly<Record<string, string>> = {
  "--dns-result-order": "=verbatim",
  "--max-heap-size": "=100",
  "--max-http-header-size": "=16384",
  "--max-old-space-size": "=100",
  "--max-semi-space-size": "=16",
  "--stack-trace-limit": "=10",
};

/** Exit code of an empty program under NODE_OPTIONS. */
function exitCode(nodeOptions: string): Promise<number> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, ["-e", "0"], { env: { NODE_OPTIONS: nodeOptions } }, () => {});
    child.once("exit", (code) => resolve(code ?? -1));
  });
}

async function flagsThatExit(flags: readonly string[]): Promise<readonly string[]> {
  const exiting: string[] = [];
  for (let i = 0; i < flags.length; i += 4) {
    const some = flags.slice(i, i + 4);
    const codes = await Promise.all(some.map((flag) => exitCode(flag + (VALUES[flag] ?? ""))));
    exiting.push(...some.filter((_, index) => codes[index] === 9));
  }
  return exiting;
}

const flagsOf = (wanted: (known: (typeof NODE_FLAGS)[number]) => boolean) =>
  NODE_FLAGS.filter(wanted).map(({ flag }) => flag);

it("Node exits with 9 on every flag of which we say so", { timeout: 60_000 }, async () => {
  const flags = flagsOf(
    (known) => "refused" in known && (known.refused === "exits" || known.refused === "newerNode"),
  );
  expect(await flagsThatExit(flags)).toEqual(flags);
});

it("Node takes every flag that a typed field renders", { timeout: 60_000 }, async () => {
  expect(await flagsThatExit(flagsOf((known) => "field" in known))).toEqual([]);
});
