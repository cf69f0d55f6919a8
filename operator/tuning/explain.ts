import { issuesOf } from "../api/v1alpha1/issues.ts";
import { flagName, nodeFlag, REFUSED_REASONS, UNKNOWN_FLAG } from "../api/v1alpha1/node-flags.ts";
import { nodeOptions } from "../api/v1alpha1/workload.ts";
import { splitNodeOptions } from "./node-options-text.ts";

/** What to write instead of one flag of a hand-written NODE_OPTIONS. */
export interface FlagExplanation {
  /** The flag as it was written, without its value: "--gc-interval"; a stray word as it stands. */
  flag: string;
  /** Typed: the remedy is a field and its value. Malformed: the value or the word is wrong. Refused: the remedy is the reason. */
  kind: "Typed" | "Malformed" | "Refused";
  remedy: string;
}

const UNREADABLE: FlagExplanation = {
  flag: "NODE_OPTIONS",
  kind: "Malformed",
  remedy: "a double quote or an escape in it is never closed, so that Node exits with 9; leave it out.",
};

/**
 * Says for every flag of a NODE_OPTIONS text which typed field replaces it or why it is refused, in the order written.
 * Read by Node's quoting rules; of a flag written twice only the last counts, as in Node. Empty for an empty text.
 */
export function explainNodeOptions(text: string): FlagExplanation[] {
  const split = splitNodeOptions(text);
  if ("error" in split) return [UNREADABLE];
  const explained = new Map<string, FlagExplanation>();
  const { words } = split;
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index] ?? "";
    const next = words[index + 1];
    const equals = word.indexOf("=");
    const separate = word.startsWith("-") && equals < 0 && next !== undefined && !next.startsWith("-");
    const value = equals < 0 ? (separate ? next : undefined) : word.slice(equals + 1);
    const name = flagName(word);
    explained.delete(name);
    explained.set(name, explainFlag(equals < 0 ? word : word.slice(0, equals), value));
    if (separate) index += 1;
  }
  return [...explained.values()];
}

function explainFlag(flag: string, value: string | undefined): FlagExplanation {
  if (!flag.startsWith("-"))
    return {
      flag,
      kind: "Malformed",
      remedy: "it is no flag, and Node reads nothing after it; leave it out.",
    };
  const known = nodeFlag(flag);
  if (known && "field" in known) return explainTyped(flag, known.field, value);
  return { flag, kind: "Refused", remedy: known ? REFUSED_REASONS[known.refused] : UNKNOWN_FLAG };
}

const WHOLE_NUMBER = /^(0|[1-9][0-9]{0,8})$/;

/** The field's own schema says what may be written into it. */
function explainTyped(flag: string, field: string, value: string | undefined): FlagExplanation {
  const path = `spec.tuning.nodeOptions.${field}`;
  const malformed = (remedy: string): FlagExplanation => ({ flag, kind: "Malformed", remedy });
  if (value === undefined || value === "") return malformed(`it has no value; set ${path}.`);
  const written = { [field]: WHOLE_NUMBER.test(value) ? Number(value) : value };
  const { error } = nodeOptions.safeParse(written);
  if (!error) return { flag, kind: "Typed", remedy: `${path}: ${value}` };
  if (error.issues[0]?.code === "invalid_type")
    return malformed(`"${value}" is not a whole number; set ${path} to a number without a unit.`);
  return malformed(`${path}: ${issuesOf(error, written, () => [])[0]?.message}`);
}
