import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { completionScript } from "./shells.ts";

/** With the shells themselves, which the machine's set-up brings; no server is needed. */

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "llmbridge-shells-"));
  // Answers as `__complete` does where it is asked for the last of three words, and else says what it was called with.
  const tool = `#!/bin/sh
[ "$1" = __complete ] || { echo "got: $*;"; exit; }
case "$2 $3" in
  "promote "*) [ $# = 3 ] && printf 'chat\\tHolding: 10%%\\nchat:b\\tStable\\nother\\n' | grep "^$3"; echo :4 ;;
  *) echo :0 ;;
esac
`;
  writeFileSync(join(folder, "kubectl-llmbridge"), tool, { mode: 0o755 });
  writeFileSync(join(folder, "manifest.yaml"), "");
  mkdirSync(join(folder, "functions"));
  writeFileSync(join(folder, "functions", "_kubectl-llmbridge"), completionScript("zsh"));
  for (const shell of ["zsh", "fish"])
    writeFileSync(join(folder, `completion.${shell}`), completionScript(shell));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Runs a script in the folder, with the tool on the PATH and no settings of a person's. */
function run(program: string, ...args: readonly string[]): string {
  const env = { PATH: `${folder}:${process.env.PATH}`, HOME: folder, TERM: "dumb", LC_ALL: "C.UTF-8" };
  return execFileSync(program, args, { cwd: folder, env, encoding: "utf8", timeout: 30_000 });
}

describe("the script for fish", () => {
  const offered = (line: string) =>
    run("fish", "--no-config", "-c", `source completion.fish; complete -C '${line}'`)
      .trim()
      .split("\n")
      .sort();

  it("offers the words that go on, with what they mean", () => {
    expect(offered("kubectl-llmbridge promote ch")).toEqual(["chat\tHolding: 10%", "chat:b\tStable"]);
    expect(offered("kubectl-llmbridge promote ot")).toEqual(["other"]);
  });

  it("offers files where they are welcome, and only there", () => {
    expect(offered("kubectl-llmbridge lint man")).toEqual(["manifest.yaml"]);
    expect(offered("kubectl-llmbridge promote man")).toEqual([""]);
  });
});

describe("the script for zsh", () => {
  const LOADED = "fpath=($PWD/functions $fpath); autoload -U compinit; compinit -u -D";
  const SOURCED = "autoload -U compinit; compinit -u -D; source ./completion.zsh";

  /** What a person sees who types this into a new shell, from then on until the pattern comes. */
  function seen(begin: string, typed: string, until: string): string {
    // What is echoed of the line that begins must not be taken for its output.
    const script = `zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell "PS1=; ${begin.replaceAll("$", "\\$")}; print rea''dy"
zpty -r shell out '*ready*'
zpty -w -n shell $'${typed}'
zpty -r shell out '${until}'
print -r -- $out
zpty -d shell`;
    return run("zsh", "-f", "-c", script);
  }

  it.each([
    ["loaded from the fpath", LOADED],
    ["sourced", SOURCED],
  ])("answers the first Tab where it is %s", (_, begin) => {
    expect(seen(begin, "kubectl-llmbridge promote o\\t\\n", "*got: *;*")).toContain("got: promote other;");
  });

  it("answers those that follow too, and escapes what is its own", () => {
    const twice = "kubectl-llmbridge promote o\\t\\nkubectl-llmbridge promote chat:\\t\\n";
    expect(seen(LOADED, twice, "*got: *got: *;*")).toMatch(/got: promote other;.*got: promote chat:b;/s);
  });

  it("shows what the words mean", () => {
    expect(seen(SOURCED, "kubectl-llmbridge promote chat\\t", "*Stable*")).toMatch(
      /chat +-- Holding: 10%.*chat:b +-- Stable/s,
    );
  });

  it("offers files where they are welcome", () => {
    expect(seen(LOADED, "kubectl-llmbridge lint man\\t\\n", "*got: *;*")).toContain(
      "got: lint manifest.yaml;",
    );
  });
});
