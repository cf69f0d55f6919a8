import { type Arguments, parseArguments } from "./arguments.ts";
import { diff } from "./commands/diff.ts";
import { explain } from "./commands/explain.ts";
import { get } from "./commands/get.ts";
import { history } from "./commands/history.ts";
import { importDeployment } from "./commands/import.ts";
import { lint } from "./commands/lint.ts";
import { order } from "./commands/order.ts";
import { setPaused } from "./commands/pause.ts";
import { render } from "./commands/render.ts";
import { setImage } from "./commands/set-image.ts";
import { status } from "./commands/status.ts";
import { undo } from "./commands/undo.ts";
import { version } from "./commands/version.ts";
import { complete } from "./completion/complete.ts";
import { completionScript } from "./completion/shells.ts";
import { type Connection, connect, sentenceOf } from "./connection.ts";
import { CliFailure, EXIT, type ExitCode } from "./failure.ts";
import { colours } from "./render/colour.ts";
import type { Terminal } from "./terminal.ts";
import { usage } from "./usage.ts";

/** Runs one command line and says how it ended. Never throws for what a person, a cluster or a network does. */
export async function run(
  argv: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
  terminal: Terminal,
): Promise<ExitCode> {
  try {
    if (argv[0] === "__complete") {
      terminal.write(await complete(argv.slice(1), environment));
      return EXIT.ok;
    }
    const args = parseArguments(argv);
    if ("help" in args) {
      terminal.write(usage(args.help));
      return EXIT.ok;
    }
    if (args.command === "lint") return await lint(args, terminal);
    if (args.command === "render") return await render(args, environment, terminal);
    if (args.command === "version") return await version(args, environment, terminal);
    if (args.command === "completion") {
      terminal.write(completionScript(args.words[0]));
      return EXIT.ok;
    }
    return await runConnected(args, environment, terminal);
  } catch (error) {
    terminal.warn(
      `${colours(terminal.coloured).bad("error:")} ${error instanceof CliFailure ? error.message : sentenceOf(error)}\n`,
    );
    return error instanceof CliFailure ? error.exitCode : EXIT.failed;
  }
}

async function runConnected(
  args: Arguments,
  environment: Readonly<Record<string, string | undefined>>,
  terminal: Terminal,
): Promise<ExitCode> {
  const connection = connect({ ...args, environment });
  try {
    if (args.command === "import") return await importDeployment(args, connection, terminal);
    if (args.command === "status")
      return await status({ ...args, name: args.words[0] ?? "" }, connection, terminal);
    await dispatch(args, connection, terminal);
    return EXIT.ok;
  } finally {
    await connection.close();
  }
}

function dispatch(args: Arguments, connection: Connection, terminal: Terminal): Promise<void> {
  const { command } = args;
  const [name = ""] = args.words;
  switch (command) {
    case "get":
      return get(args, connection, terminal);
    case "explain":
      return explain({ ...args, name }, connection, terminal);
    case "history":
      return history({ ...args, name }, connection, terminal);
    case "diff":
      return diff(args, connection, terminal);
    case "undo":
      return undo({ ...args, name }, connection, terminal);
    case "promote":
    case "skip":
    case "jump":
    case "abort":
    case "retry":
    case "restart":
      return order({ ...args, name, command }, connection, terminal);
    case "set":
      return setImage(args, connection, terminal);
    case "pause":
    case "resume":
      return setPaused({ ...args, name, command }, connection, terminal);
    case "import":
    case "lint":
    case "render":
    case "status":
    case "version":
    case "completion":
      return Promise.reject(new Error(`${command} is run elsewhere`));
  }
}
