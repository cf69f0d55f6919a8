/** PromQL is only ever built from these pieces: every value is quoted, so that no name can change what is selected. */

export type Matcher =
  | { readonly label: string; readonly op: "=" | "!="; readonly value: string }
  /** Any of the values; "" matches series without the label. */
  | { readonly label: string; readonly op: "in"; readonly values: readonly string[] };

export const equal = (label: string, value: string): Matcher => ({ label, op: "=", value });
export const unequal = (label: string, value: string): Matcher => ({ label, op: "!=", value });
export const anyOf = (label: string, values: readonly string[]): Matcher => ({ label, op: "in", values });

const LABEL_NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

/** `{a="1",b=~"x|y"}`. Throws RangeError on a label name that Prometheus would not take. */
export function selector(matchers: readonly Matcher[]): string {
  return `{${matchers.map(matcherText).join(",")}}`;
}

function matcherText(matcher: Matcher): string {
  const label = labelName(matcher.label);
  if (matcher.op === "in") return `${label}=~${quoted(matcher.values.map(literal).join("|"))}`;
  return `${label}${matcher.op}${quoted(matcher.value)}`;
}

/** A name that may stand outside quotes. Throws RangeError on one that Prometheus would not take; they come from the administrator's settings. */
export function labelName(text: string): string {
  if (LABEL_NAME.test(text)) return text;
  throw new RangeError(
    `"${text}" is not a label name; use letters, digits and '_', not beginning with a digit.`,
  );
}

/** The samples of the last `ms` milliseconds. */
export function range(series: string, ms: number): string {
  return `${series}[${Math.max(1, Math.round(ms))}ms]`;
}

/**
 * A double-quoted PromQL string: escapes as in Go, of which those of JSON are a part. U+FFFD is what Go reads broken text as, so Prometheus refuses
 * it unless it is escaped.
 */
function quoted(text: string): string {
  return JSON.stringify(text.toWellFormed()).replaceAll("\ufffd", "\\ufffd");
}

/** A text that stands for itself in an RE2 expression. */
function literal(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
}
