import { parseArgs } from "node:util";
import { didYouMean } from "../api/v1alpha1/did-you-mean.ts";
import { CliFailure, EXIT } from "./failure.ts";

const COMMANDS = [
  ...(["get", "status", "explain", "promote", "abort", "pause", "resume", "retry", "lint"] as const),
] as const;
type CommandName = (typeof COMMANDS)[number];

export interface Arguments {
  readonly command: CommandName;
  readonly name: string | undefined;
  readonly namespace: string | undefined;
  readonly allNamespaces: boolean;
  readonly context: string | undefined;
  readonly kubeconfig: string | undefined;
  readonly output: "json" | "yaml" | undefined;
  readonly watch: boolean;
  readonly full: boolean;
  readonly timeoutMs: number;
  readonly files: readonly string[];
}

const options = {
  namespace: { type: "string", short: "n" },
  "all-namespaces": { type: "boolean", short: "A" },
  context: { type: "string" },
  kubeconfig: { type: "string" },
  output: { type: "string", short: "o" },
  watch: { type: "boolean", short: "w" },
  full: { type: "boolean" },
  timeout: { type: "string" },
  filename: { type: "string", short: "f", multiple: true },
  help: { type: "boolean", short: "h" },
} as const;

/** Options that only some commands take; the others take every command. */
const ONLY_WITH: Readonly<Record<string, readonly CommandName[]>> = {
  "all-namespaces": ["get"],
  output: ["get"],
  watch: ["get", "status"],
  full: ["promote"],
  timeout: ["promote", "abort", "retry"],
  filename: ["lint"],
};

/**
 * The command line as values, or "help".
 * @throws CliFailure with exit code 2 and a sentence that says what to write
 */
export function parseArguments(argv: readonly string[]): Arguments | "help" {
  const { values, positionals } = parsed(argv);
  const [command, name, ...rest] = positionals;
  if (values.help || command === "help" || command === undefined) return "help";
  if (!isCommand(command)) throw wrong(unknownCommand(command));
  if (rest.length > 0) throw wrong(`${rest[0]} is one word too many; ${command} takes one name.`);
  for (const [option, commands] of Object.entries(ONLY_WITH)) {
    if (option in values && !commands.includes(command))
      throw wrong(`--${option} goes with ${commands.join(", ")}, not with ${command}.`);
  }
  if (command === "lint" && values.filename === undefined)
    throw wrong("lint needs -f FILE, or -f - for stdin.");
  if (command === "lint" && name !== undefined) throw wrong(`write lint -f ${name}.`);
  if (command !== "lint" && command !== "get" && name === undefined)
    throw wrong(`${command} needs the name of a bridge.`);
  if (name !== undefined && values["all-namespaces"])
    throw wrong("a name cannot be got from all namespaces; give -n or leave -A out.");
  return {
    command,
    name,
    namespace: values.namespace,
    allNamespaces: values["all-namespaces"] ?? false,
    context: values.context,
    kubeconfig: values.kubeconfig,
    output: outputOf(values.output),
    watch: values.watch ?? false,
    full: values.full ?? false,
    timeoutMs: timeoutOf(values.timeout),
    files: values.filename ?? [],
  };
}

function parsed(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], options, allowPositionals: true, strict: true });
  } catch (error) {
    const [sentence = ""] = (error instanceof Error ? error.message : String(error)).split(". ");
    throw wrong(`${sentence.charAt(0).toLowerCase()}${sentence.slice(1)}.`);
  }
}

function isCommand(word: string): word is CommandName {
  return (COMMANDS as readonly string[]).includes(word);
}

function unknownCommand(word: string): string {
  const near = didYouMean(word, COMMANDS);
  return near ? `${word} is not a command; did you mean ${near}?` : `${word} is not a command.`;
}

function outputOf(text: string | undefined): "json" | "yaml" | undefined {
  if (text === undefined || text === "json" || text === "yaml") return text;
  throw wrong(`-o ${text} is not a format; write json or yaml.`);
}

function timeoutOf(text = "30"): number {
  const seconds = Number(text.replace(/s$/, ""));
  if (!(seconds > 0)) throw wrong(`--timeout ${text} is not a number of seconds; write for example 30.`);
  return seconds * 1000;
}

function wrong(sentence: string): CliFailure {
  return new CliFailure(`${sentence} \`kubectl llmbridge -h\` shows the usage.`, EXIT.usage);
}
