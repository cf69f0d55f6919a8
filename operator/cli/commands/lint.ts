import type { Arguments } from "../arguments.ts";
import { EXIT, type ExitCode } from "../failure.ts";
import { type Finding, lintYaml } from "../lint-yaml.ts";
import { readManifests } from "../manifest-files.ts";
import type { LintOutput } from "../outputs.ts";
import { serialised } from "../render/serialised.ts";
import type { Terminal } from "../terminal.ts";

/** `lint FILE...`: what the API server and the operator would say, with remedies, before anything is sent. No cluster is needed. */
export async function lint(args: Arguments, terminal: Terminal): Promise<ExitCode> {
  const texts = await readManifests([...args.words, ...args.files], args.recursive, terminal);
  const found = texts.flatMap(({ place, text, isNamed }) =>
    lintYaml(text, isNamed)
      // A folder holds all sorts of things; a file was named because it matters.
      .filter(({ kind }) => isNamed || kind !== "skipped")
      .map((finding) => ({ file: place, finding })),
  );
  if (args.output !== undefined) terminal.write(serialised(outputOf(found), args.output));
  else
    for (const { file, finding } of found)
      (finding.kind === "skipped" ? terminal.warn : terminal.write)(lineOf(file, finding));
  if (found.length === 0) terminal.warn("There is no bridge in what was given.\n");
  return found.some(({ finding }) => finding.kind === "error") ? EXIT.failed : EXIT.ok;
}

/** A finding as one line: "error: chat.yaml:8: spec.replica: ...". */
export function lineOf(file: string, finding: Finding): string {
  const place = `${file}:${finding.line}`;
  if (finding.kind !== "error") return `${place}: ${finding.message}\n`;
  return `error: ${place}: ${finding.path === "" ? "" : `${finding.path}: `}${finding.message}\n`;
}

function outputOf(found: readonly { readonly file: string; readonly finding: Finding }[]): LintOutput {
  return {
    findings: found.map(({ file, finding }) => ({
      ...{ file, line: finding.line, kind: finding.kind },
      path: finding.kind === "error" ? finding.path : "",
      message: finding.message,
    })),
  };
}
