import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { completionScript } from "./shells.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "llmbridge-shells-"));
  // Answers as `__complete` does, with the words that it was given among the candidates.
  const tool = '#!/bin/sh\nprintf "chat\\tHolding: 10%%\\nchart\\n$#-words\\n:$ENDS\\n"\n';
  writeFileSync(join(folder, "kubectl-llmbridge"), tool, { mode: 0o755 });
});
afterAll(() => rmSync(folder, { recursive: true }));

const environment = (ends = "4") => ({ ...process.env, PATH: `${folder}:${process.env.PATH}`, ENDS: ends });

/** What bash would offer for `kubectl-llmbridge WORDS`, the last of them being written. */
function offered(words: readonly string[], ends?: string): string[] {
  const line = ["kubectl-llmbridge", ...words].map((word) => `'${word}'`).join(" ");
  const script = `${completionScript("bash")}
compopt() { echo files; }
COMP_WORDS=(${line}); COMP_CWORD=${words.length}
_kubectl_llmbridge; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const options = { encoding: "utf8", env: environment(ends) } as const;
  return execFileSync("bash", ["-c", script], options).trim().split("\n");
}

describe("the script for bash", () => {
  it("offers the words that go on, without what they mean", () => {
    expect(offered(["promote", "ch"])).toEqual(["chat", "chart"]);
    expect(offered(["promote", ""])).toEqual(["chat", "chart", "3-words"]);
  });

  it("offers files where they are welcome", () => {
    expect(offered(["lint", "cha"], "0")).toEqual(["files", "chat", "chart"]);
  });
});

// What those for zsh and fish do is seen where the shells are sure to be: shells.server.test.ts.
it("the executable for kubectl asks the plugin with its own words", () => {
  const file = join(folder, "kubectl_complete-llmbridge");
  writeFileSync(file, completionScript("kubectl"), { mode: 0o755 });
  writeFileSync(join(folder, "kubectl"), '#!/bin/sh\necho "$*"\n', { mode: 0o755 });
  const options = { encoding: "utf8", env: environment() } as const;
  expect(execFileSync(file, ["promote", "ch"], options)).toBe("llmbridge __complete promote ch\n");
});
