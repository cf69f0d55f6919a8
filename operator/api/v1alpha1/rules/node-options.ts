import { NODE_FLAGS, nodeFlag, REFUSED_REASONS, type RefusedReason, UNKNOWN_FLAG } from "../node-flags.ts";
import { celList, celString } from "./cel.ts";

const OPENING = "NODE_OPTIONS cannot be set here, because the operator renders it from typed fields.";

/** More flags than this are not spoken of one by one: a CEL expression has to be bounded, and both sides say the same. */
const MOST_FLAGS = 16;

/** Between flags while typed ones are rewritten to words with spaces. A line break would make the server drop the message. */
const SEPARATOR = "\u00a0";

const typed = NODE_FLAGS.filter((known) => "field" in known);

/**
 * What to say of NODE_OPTIONS in pod.env: a sentence for each flag in it. Node takes `_` for `-`, so the message writes `-`.
 * `undefined` when the value comes from a Secret.
 */
export function nodeOptionsMessage(value: string | undefined): string {
  const tokens = splitAtMost((value ?? "").replaceAll("_", "-").replaceAll(" ", SEPARATOR)).filter((t) =>
    t.startsWith("-"),
  );
  return [OPENING, ...tokens.map(flagAdvice)].join(" ");
}

/** What to do about one flag, such as `--max-old-space-size=450`. */
function flagAdvice(token: string): string {
  const known = nodeFlag(token);
  if (known === undefined) return `${token}: ${UNKNOWN_FLAG}`;
  if ("refused" in known) return `${token}: ${REFUSED_REASONS[known.refused]}`;
  const parts = token.split("=");
  return parts.length > 1
    ? `${parts[0]}: write ${fieldPath(known.field)}: ${parts.slice(1).join("=")}.`
    : `${token}: write ${fieldPath(known.field)}.`;
}

/** The same as a CEL expression over one variable. Typed flags are rewritten in the whole text, where its size is still known. */
export function nodeOptionsExpression(): string {
  const value = "(has(self.value) ? self.value : '')";
  const rewritten = typed.reduce(
    (text, { flag, field }) => `${text}.replace('${flag}=', '${flag}: write ${fieldPath(field)}: ')`,
    `${value}.replace('_', '-').replace(' ', '${SEPARATOR}')`,
  );
  const advice = `${rewritten}.split('${SEPARATOR}', ${MOST_FLAGS}).filter(t, t.startsWith('-')).map(t, ${adviceExpression()})`;
  const places = Array.from(
    { length: MOST_FLAGS },
    (_, i) => `a.size() > ${i} ? ' %s'.format([a[${i}]]) : ''`,
  );
  return `[${advice}].map(a, ${celString(OPENING + "%s".repeat(MOST_FLAGS))}.format([${places.join(", ")}]))[0]`;
}

function adviceExpression(): string {
  const withValue = celList(typed.map(({ flag }) => `${flag}: `));
  const cases = [`${withValue}.exists(p, t.startsWith(p)) ? '%s.'.format([t])`];
  for (const { flag, field } of typed) cases.push(`t == '${flag}' ? '${flag}: write ${fieldPath(field)}.'`);
  for (const [reason, words] of Object.entries(REFUSED_REASONS)) {
    const flags = flagsRefusedFor(reason as RefusedReason);
    const assigned = celList(flags.map((flag) => `${flag}=`));
    cases.push(
      `(t in ${celList(flags)} || ${assigned}.exists(p, t.startsWith(p))) ? ${celString(`%s: ${words}`)}.format([t])`,
    );
  }
  return `(${cases.join(" : ")} : ${celString(`%s: ${UNKNOWN_FLAG}`)}.format([t]))`;
}

function fieldPath(field: string): string {
  return `spec.tuning.nodeOptions.${field}`;
}

function flagsRefusedFor(reason: RefusedReason): readonly string[] {
  return NODE_FLAGS.flatMap((known) => ("refused" in known && known.refused === reason ? [known.flag] : []));
}

/** Like CEL's split with a limit: the last piece holds the rest. */
function splitAtMost(text: string): readonly string[] {
  const pieces = text.split(SEPARATOR);
  return pieces.length <= MOST_FLAGS
    ? pieces
    : [...pieces.slice(0, MOST_FLAGS - 1), pieces.slice(MOST_FLAGS - 1).join(SEPARATOR)];
}
