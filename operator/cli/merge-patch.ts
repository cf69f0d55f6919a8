import { isDeepStrictEqual } from "node:util";

type Members = Readonly<Record<string, unknown>>;

const isMembers = (value: unknown): value is Members =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/**
 * The JSON merge patch (RFC 7386) that makes `to` of `from`: what is gone is null, lists are given whole. Undefined where nothing differs.
 */
export function mergePatchOf(from: unknown, to: unknown): unknown {
  if (isDeepStrictEqual(from, to)) return undefined;
  if (!isMembers(from) || !isMembers(to)) return to;
  const changes = [...new Set([...Object.keys(from), ...Object.keys(to)])].flatMap((name) => {
    if (to[name] === undefined) return from[name] === undefined ? [] : [[name, null] as const];
    const change = mergePatchOf(from[name], to[name]);
    return change === undefined ? [] : [[name, change] as const];
  });
  return changes.length === 0 ? undefined : Object.fromEntries(changes);
}
