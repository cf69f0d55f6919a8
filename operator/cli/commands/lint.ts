import { readFile } from "node:fs/promises";
import type { Arguments } from "../arguments.ts";
import { CliFailure, EXIT, type ExitCode } from "../failure.ts";
import { lintYaml } from "../lint-yaml.ts";
import type { Terminal } from "../terminal.ts";

/** `lint -f FILE`: what the API server would say, with remedies, before anything is sent. No cluster is needed. */
export async function lint(args: Arguments, terminal: Terminal): Promise<ExitCode> {
  let found = 0;
  for (const file of args.files) {
    for (const finding of lintYaml(await contentOf(file, terminal))) {
      const place = `${file === "-" ? "stdin" : file}:${finding.line}`;
      switch (finding.kind) {
        case "valid":
          terminal.write(`${place}: ${finding.message}\n`);
          break;
        case "skipped":
          terminal.warn(`${place}: ${finding.message}\n`);
          break;
        case "error":
          found += 1;
          terminal.write(
            `error: ${place}: ${finding.path === "" ? "" : `${finding.path}: `}${finding.message}\n`,
          );
      }
    }
  }
  return found > 0 ? EXIT.failed : EXIT.ok;
}

async function contentOf(file: string, terminal: Terminal): Promise<string> {
  if (file === "-") return terminal.readStdin();
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    throw new CliFailure(
      code === "ENOENT" ? `there is no file ${file}.` : `${file} cannot be read (${code}).`,
    );
  }
}
