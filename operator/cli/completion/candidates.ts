import {
  COMMAND_NAMES,
  COMMON,
  type CommandName,
  infoOf,
  OPTIONS,
  type OptionName,
  optionsOf,
} from "../command-table.ts";
import { UNTIL } from "../status/standing.ts";
import { SHELLS } from "./shells.ts";

type Candidate = readonly [word: string, what: string];

interface Place {
  readonly namespace: string | undefined;
  readonly context: string | undefined;
  readonly kubeconfig: string | undefined;
}

/** What only the cluster knows. */
export type Asked =
  | { readonly kind: "Names" | "Namespaces"; readonly place: Place }
  | { readonly kind: "Steps"; readonly name: string; readonly place: Place };

export interface Candidates {
  readonly found: readonly Candidate[];
  /** Whether it may be the path of a file too. */
  readonly files: boolean;
}

/**
 * What the last of the words could be. Only asks the cluster where nothing else is meant.
 * @param words behind `kubectl llmbridge`; the last one is the one that is being written, and may be empty
 */
export async function candidates(
  words: readonly string[],
  ask: (asked: Asked) => Promise<readonly Candidate[]>,
): Promise<Candidates> {
  const begun = words.at(-1) ?? "";
  const { command, names, values, open } = read(words.slice(0, -1));
  const place = { namespace: values.namespace, context: values.context, kubeconfig: values.kubeconfig };
  const only = (found: readonly Candidate[], files = false): Candidates => ({
    found: found.filter(([word]) => word.startsWith(begun)),
    files,
  });
  if (open !== undefined) {
    if (open === "namespace") return only(await ask({ kind: "Namespaces", place }));
    if (open === "to") return only(await ask({ kind: "Steps", name: names[0] ?? "", place }));
    const known: readonly string[] = VALUES[open] ?? [];
    return only(
      known.map((word) => [word, ""]),
      FILES.includes(open),
    );
  }
  if (begun.startsWith("-")) {
    const taken = command === undefined ? COMMON : optionsOf(command);
    return only(taken.map((name): Candidate => [`--${name}`, OPTIONS[name].says]));
  }
  if (command === undefined) return only(COMMAND_NAMES.map((name): Candidate => [name, infoOf(name).says]));
  if (command === "lint" || command === "render") return only([], true);
  if (command === "completion") return only(names.length === 0 ? SHELLS.map((one) => [one, ""]) : []);
  if (command === "set" && names.length === 0) return only([["image", infoOf("set").says]]);
  const isName = command === "import" ? false : names.length === (command === "set" ? 1 : 0);
  return isName && infoOf(command).count[1] > 0 ? only(await ask({ kind: "Names", place })) : only([]);
}

const VALUES: Partial<Record<OptionName, readonly string[]>> = { output: ["json", "yaml"], until: UNTIL };
const FILES: readonly OptionName[] = ["filename", "kubeconfig"];

/** Words that may be unfinished or wrong; nothing of them is refused. `open`: an option whose value is being written. */
function read(words: readonly string[]): {
  readonly command: CommandName | undefined;
  readonly names: readonly string[];
  readonly values: Partial<Record<OptionName, string>>;
  readonly open: OptionName | undefined;
} {
  const values: Partial<Record<OptionName, string>> = {};
  const names: string[] = [];
  let open: OptionName | undefined;
  for (const word of words) {
    if (open !== undefined) {
      values[open] = word;
      open = undefined;
    } else if (word.startsWith("-")) {
      const [, long, short, value] = /^(?:--([^=]+)|-([^=-]))=?(.*)$/s.exec(word) ?? [];
      const option = optionOf(long, short);
      if (option === undefined || OPTIONS[option].type === "boolean") continue;
      if (value) values[option] = value;
      else open = option;
    } else names.push(word);
  }
  const command = COMMAND_NAMES.find((name) => name === names[0]);
  return { command, names: names.slice(1), values, open };
}

function optionOf(long: string | undefined, short: string | undefined): OptionName | undefined {
  const all = Object.keys(OPTIONS) as OptionName[];
  return all.find((name) => {
    const option = OPTIONS[name];
    return name === long || (short !== undefined && "short" in option && option.short === short);
  });
}
