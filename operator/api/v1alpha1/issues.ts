import type * as z from "zod";
import { didYouMean } from "./did-you-mean.ts";

/** One thing that is wrong: where, and a sentence that says what to write instead. */
export interface Issue {
  /** `spec.rollout.steps[2].weight`; "" is the whole object. */
  readonly path: string;
  readonly message: string;
}

/** `["spec", "steps", 2]` as `spec.steps[2]`. */
export function pathText(segments: readonly PropertyKey[]): string {
  return segments.reduce<string>((text, segment) => {
    if (typeof segment === "number") return `${text}[${segment}]`;
    const key = String(segment);
    if (!/^[A-Za-z0-9_$-]+$/.test(key)) return `${text}["${key}"]`;
    return text === "" ? key : `${text}.${key}`;
  }, "");
}

/** What zod found, in the words of this API. `root` is the value that was parsed. */
export function issuesOf(
  error: z.ZodError,
  root: unknown,
  fieldsAt: (path: readonly PropertyKey[]) => readonly string[],
): Issue[] {
  return error.issues.flatMap((issue) => {
    const value = valueAt(root, issue.path);
    if (issue.code !== "unrecognized_keys")
      return [{ path: pathText(issue.path), message: sentenceOf(issue, value) }];
    return issue.keys.map((key) => ({
      path: pathText([...issue.path, key]),
      message: unknownField(key, fieldsAt(issue.path)),
    }));
  });
}

/** The value at a path, or undefined. */
export function valueAt(root: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (node, key) =>
      typeof node === "object" && node !== null ? (node as Record<PropertyKey, unknown>)[key] : undefined,
    root,
  );
}

function unknownField(key: string, fields: readonly string[]): string {
  const near = didYouMean(key, fields);
  if (near !== undefined) return `is not a field here; did you mean ${near}?`;
  return fields.length === 0
    ? "is not a field here; leave it out."
    : `is not a field here; the fields are ${fields.join(", ")}.`;
}

function sentenceOf(issue: z.core.$ZodIssue, value: unknown): string {
  if (value === undefined && issue.code !== "custom") return "is missing; write it.";
  if (value === null) return "is empty; write a value or leave the field out.";
  switch (issue.code) {
    case "invalid_type":
      return wrongType(issue.expected, value);
    case "invalid_value":
      return notOneOf(issue.values.map(String), value);
    case "too_big":
      return tooBig(issue.origin, Number(issue.maximum), value);
    case "too_small":
      return tooSmall(issue.origin, Number(issue.minimum), value);
    default:
      return issue.message;
  }
}

function wrongType(expected: string, value: unknown): string {
  if (expected === "string" && typeof value !== "object")
    // What was written may have been more than is left of it: 24.20 is the number 24.2, and `on` is true.
    return `is read as the ${typeof value} ${value}, but text is needed; put it in quotes as it is written.`;
  if ((expected === "int" || expected === "number") && typeof value === "number")
    return `${value} is not a whole number; write one without a fraction.`;
  return `is ${nameOf(value)}, but ${TYPE_NAMES[expected] ?? expected} is needed; correct it.`;
}

const TYPE_NAMES: Readonly<Record<string, string>> = {
  array: "a list",
  boolean: "true or false",
  int: "a whole number",
  number: "a number",
  object: "a map of fields",
  record: "a map of text",
  string: "text",
};

function nameOf(value: unknown): string {
  if (Array.isArray(value)) return "a list";
  return typeof value === "object"
    ? "a map of fields"
    : typeof value === "string"
      ? `the text "${value}"`
      : `the ${typeof value} ${value}`;
}

function notOneOf(allowed: readonly string[], value: unknown): string {
  const list = allowed.join(", ");
  if (typeof value === "boolean")
    return `is read as the boolean ${value}, because YAML takes Off, No, On and Yes without quotes for booleans; write one of ${list}.`;
  const near = typeof value === "string" ? didYouMean(value, allowed) : undefined;
  return `"${String(value)}" is not one of ${list}; ${near === undefined ? "write one of them." : `did you mean ${near}?`}`;
}

function tooBig(origin: string, most: number, value: unknown): string {
  if (origin === "string")
    return `has ${String(value).length} characters, and at most ${most} are allowed; shorten it.`;
  if (origin === "array")
    return `has ${(value as unknown[]).length} entries, and at most ${most} are allowed; remove some.`;
  return `${String(value)} is above ${most}, the most that is allowed; lower it.`;
}

function tooSmall(origin: string, least: number, value: unknown): string {
  if (origin === "string") return `has ${String(value).length} characters, and at least ${least} are needed.`;
  if (origin === "array")
    return `has ${(value as unknown[]).length} entries, and at least ${least} are needed; add one.`;
  return `${String(value)} is below ${least}, the least that is allowed; raise it.`;
}
