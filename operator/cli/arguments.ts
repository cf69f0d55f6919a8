import { parseArgs } from "node:util";
import { didYouMean } from "../api/v1alpha1/did-you-mean.ts";
import {
  COMMAND_NAMES,
  type CommandName,
  infoOf,
  OPTIONS,
  type OptionName,
  optionsOf,
} from "./command-table.ts";
import { SHELLS } from "./completion/shells.ts";
import { CliFailure, EXIT } from "./failure.ts";
import { spanMs } from "./span.ts";
import { UNTIL, type Until } from "./status/standing.ts";

export type OutputFormat = "json" | "yaml";

export interface Arguments {
  readonly command: CommandName;
  /** The words behind the command: names, or files. */
  readonly words: readonly string[];
  readonly namespace: string | undefined;
  readonly allNamespaces: boolean;
  readonly context: string | undefined;
  readonly kubeconfig: string | undefined;
  readonly output: OutputFormat | undefined;
  readonly watch: boolean;
  readonly to: string | undefined;
  readonly full: boolean;
  /** Undefined: not given. */
  readonly timeoutMs: number | undefined;
  /** The same in the person's own words, with a unit. */
  readonly timeoutText: string | undefined;
  readonly until: Until;
  readonly noWait: boolean;
  readonly clientOnly: boolean;
  readonly files: readonly string[];
  readonly recursive: boolean;
  readonly services: readonly string[];
  readonly bridgeName: string | undefined;
  readonly apply: boolean;
}

/** Somebody asked for help, perhaps with one command. */
export interface HelpWanted {
  readonly help: CommandName | undefined;
}

/** Timers of more than 2^31 - 1 ms, 24 days, run out at once. */
const MOST_SECONDS = 2_147_483;

/** Their words are files. */
const FILE_COMMANDS: readonly CommandName[] = ["lint", "render"];

/**
 * The command line as values.
 * @throws CliFailure with exit code 2 and a sentence that says what to write
 */
export function parseArguments(argv: readonly string[]): Arguments | HelpWanted {
  const { values, positionals, isUnwatched } = parsed(argv);
  const [first, ...words] = positionals;
  if (first === undefined) return { help: undefined };
  if (first === "help") return { help: words[0] === undefined ? undefined : commandOf(words[0]) };
  const command = commandOf(first);
  if (values.help) return { help: command };
  refuseForeignOptions(command, values);
  refuseWrongCount(command, words, values.filename ?? []);
  refuseWrongWords(command, words);
  if (command === "jump" && values.to === undefined)
    throw wrong("jump needs the step to go to; write --to STEP.", command);
  if (words.length > 0 && values["all-namespaces"])
    throw wrong("a name cannot be got from all namespaces; give -n or leave -A out.", command);
  if (values.output && values.watch && command !== "status")
    throw wrong("-w is for people; to follow objects write `kubectl get llmbridges -w -o ...`.", command);
  return {
    command,
    words,
    namespace: values.namespace,
    allNamespaces: values["all-namespaces"] ?? false,
    context: values.context,
    kubeconfig: values.kubeconfig,
    output: outputOf(values.output, command),
    watch: values.watch ?? false,
    to: values.to,
    full: values.full ?? false,
    timeoutMs: timeoutOf(values.timeout, command),
    timeoutText: values.timeout?.replace(/\d$/, "$&s"),
    until: untilOf(values.until, command),
    noWait: values["no-wait"] === true || (command === "status" && isUnwatched),
    clientOnly: values.client ?? false,
    files: values.filename ?? [],
    recursive: values.recursive ?? false,
    services: values.service ?? [],
    bridgeName: values.name,
    apply: values.apply ?? false,
  };
}

function parsed(argv: readonly string[]) {
  try {
    const end = argv.indexOf("--");
    const args = argv.flatMap((word, index) => (end === -1 || index < end ? withoutEquals(word) : [word]));
    const isUnwatched = argv.some((word) => /^(--watch|-w)=false$/i.test(word));
    return { ...parseArgs({ args, options: OPTIONS, allowPositionals: true, strict: true }), isUnwatched };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const unknown = /^Unknown option '(-[^']*)'/.exec(message)?.[1];
    if (unknown !== undefined) throw wrong(`unknown option ${unknown}${optionHint(unknown)}`);
    const [sentence = ""] = message.split(". ");
    throw wrong(`${sentence.charAt(0).toLowerCase()}${sentence.slice(1).replace(/\.$/, "")}.`);
  }
}

const SHORT_WITH_VALUE = Object.values(OPTIONS).flatMap((option) =>
  "short" in option && option.type === "string" ? [option.short] : [],
);
const SHORT_EQUALS = new RegExp(
  `^(-[^${SHORT_WITH_VALUE.join("")}=-]*[${SHORT_WITH_VALUE.join("")}])=(.+)$`,
  "s",
);

const SWITCHES = Object.entries(OPTIONS).flatMap(([name, option]) =>
  option.type === "boolean" ? [`--${name}`, ...("short" in option ? [`-${option.short}`] : [])] : [],
);

/**
 * What kubectl takes and parseArgs does not: `-n=ai` as `-nai`, since the value would begin with the sign, and `--full=true` as `--full`, `--full=false`
 * as nothing, in large letters too.
 */
function withoutEquals(word: string): readonly string[] {
  const [, name = "", value] = /^(--?[a-z-]+)=(true|false)$/i.exec(word) ?? [];
  if (SWITCHES.includes(name)) return value?.toLowerCase() === "true" ? [name] : [];
  return [word.replace(SHORT_EQUALS, "$1$2")];
}

function optionHint(written: string): string {
  const near = didYouMean(written.replace(/^-+/, ""), Object.keys(OPTIONS));
  return near && written.length > 2 ? `; did you mean --${near}?` : ".";
}

function commandOf(word: string): CommandName {
  const known = COMMAND_NAMES.find((name) => name === word);
  if (known) return known;
  const near = didYouMean(word, COMMAND_NAMES);
  throw wrong(near ? `${word} is not a command; did you mean ${near}?` : `${word} is not a command.`);
}

function refuseForeignOptions(command: CommandName, values: object): void {
  const taken = optionsOf(command);
  for (const option of Object.keys(values) as OptionName[]) {
    if (taken.includes(option)) continue;
    const takers = COMMAND_NAMES.filter((name) => optionsOf(name).includes(option));
    throw wrong(`--${option} goes with ${takers.join(", ")}, not with ${command}.`, command);
  }
}

function refuseWrongCount(command: CommandName, words: readonly string[], files: readonly string[]): void {
  const [least, most] = infoOf(command).count;
  if (FILE_COMMANDS.includes(command) && words.length + files.length === 0)
    throw wrong(`${command} needs a file, a folder, or - for stdin.`, command);
  if (command === "diff" && (words.length === 0) === (files.length === 0))
    throw wrong("diff needs the name of a bridge, or -f FILE.", command);
  if (words.length < least)
    throw wrong(`${command} needs ${NEEDS[command] ?? "the name of a bridge"}.`, command);
  if (words.length > most) {
    const takes = most === 1 ? "one name" : `at most ${most} words`;
    throw wrong(`${words[most]} is one word too many; ${command} takes ${takes}.`, command);
  }
}

const NEEDS: Partial<Record<CommandName, string>> = {
  import: "deployment/NAME",
  completion: `the name of a shell: ${SHELLS.join(", ")}`,
  set: "`image`, the name of a bridge and an image",
};

function refuseWrongWords(command: CommandName, [first = "", , image = ""]: readonly string[]): void {
  if (command === "completion" && !SHELLS.some((shell) => shell === first))
    throw wrong(`${first} is not a shell that is known; write ${SHELLS.join(", ")}.`, command);
  if (command !== "set") return;
  if (first !== "image")
    throw wrong(`${first} cannot be set; write \`set image NAME IMAGE\`, or edit the spec.`, command);
  if (image.includes("="))
    throw wrong(`${image}: a bridge has one image; write it without a container's name.`, command);
}

function untilOf(text: string | undefined, command: CommandName): Until {
  if (text === undefined) return "stable";
  const known = UNTIL.find((one) => one === text);
  if (known) return known;
  throw wrong(`--until ${text} is nothing to wait for; write ${UNTIL.join(" or ")}.`, command);
}

function outputOf(text: string | undefined, command: CommandName): OutputFormat | undefined {
  if (text === undefined || text === "json" || text === "yaml") return text;
  throw wrong(`-o ${text} is not a format; write json or yaml.`, command);
}

function timeoutOf(text: string | undefined, command: CommandName): number | undefined {
  if (text === undefined) return undefined;
  const ms = spanMs(text);
  if (ms === undefined || ms === 0)
    throw wrong(`--timeout ${text} is no time to wait; write for example 30s or 30m.`, command);
  if (ms > MOST_SECONDS * 1000)
    throw wrong(`--timeout ${text} is longer than can be waited; write at most ${MOST_SECONDS}s.`, command);
  return ms;
}

function wrong(sentence: string, command?: CommandName): CliFailure {
  const help = command === undefined ? "-h" : `${command} -h`;
  return new CliFailure(`${sentence} \`kubectl llmbridge ${help}\` shows the usage.`, EXIT.usage);
}
