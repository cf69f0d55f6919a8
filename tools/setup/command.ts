import { spawn } from "node:child_process";

export interface CommandOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Text given to the command's standard input; without it the input is empty. */
  readonly input?: string;
  readonly signal?: AbortSignal;
}

/** A command that could not be started or ended with another code than 0; the message holds its last lines. */
export class CommandError extends Error {
  override readonly name = "CommandError";
  readonly exitCode: number | null;
  // Private, so that an uncaught error does not print all of it.
  readonly #output: string;

  constructor(argv: readonly string[], exitCode: number | null, output: string) {
    const tail = output.trimEnd().split("\n").slice(-15).join("\n");
    super(`${argv.slice(0, 4).join(" ")} ended with ${exitCode ?? "a signal"}:\n${tail}`);
    this.exitCode = exitCode;
    this.#output = output;
  }

  /** All that the command wrote, to both of its outputs. */
  get output(): string {
    return this.#output;
  }
}

/** Runs a command to its end and returns what it wrote to its standard output; throws {@link CommandError}. */
export function run(argv: readonly [string, ...string[]], options: CommandOptions = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const [file, ...rest] = argv;
    const child = spawn(file, rest, {
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      ...(options.signal === undefined ? {} : { signal: options.signal }),
      env: options.env ?? process.env,
      stdio: ["pipe", "pipe", "pipe"],
    });
    let stdout = "";
    let all = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
      all += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      all += text;
    });
    // A command that ends without reading its input breaks the pipe; its exit code tells more than that.
    child.stdin.on("error", () => undefined);
    child.stdin.end(options.input ?? "");
    child.on("error", (error) => reject(new CommandError(argv, null, error.message)));
    child.on("close", (code) => {
      if (code === 0) resolve(stdout);
      else reject(new CommandError(argv, code, all));
    });
  });
}
