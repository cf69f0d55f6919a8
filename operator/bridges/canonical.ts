/** Canonical JSON and the leaving out of defaults: what a revision's hash rests on. */

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** What JSON writes as it is, between quotes: nearly all there is in an object of the cluster. */
const PLAIN = /^[\w./-]*$/;
const quoted = (text: string): string => (PLAIN.test(text) ? `"${text}"` : JSON.stringify(text));

/** JSON with sorted keys and without undefined members: equal values give equal text. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  if (typeof value === "string") return quoted(value);
  if (!isObject(value)) return JSON.stringify(value) ?? "null";
  // Written as it is met, without lists of parts: a sixth of what a pass over a bridge computes is this.
  let members = "";
  for (const key of Object.keys(value).sort()) {
    const member = value[key];
    if (member === undefined) continue;
    members += `${members === "" ? "" : ","}${quoted(key)}:${canonicalJson(member)}`;
  }
  return `{${members}}`;
}

/** Whether two values have the same canonical JSON; nothing is written to find out, for this is asked with every change of every pod. */
export function sameJson(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (Array.isArray(a)) {
    return (
      Array.isArray(b) && a.length === b.length && a.every((member, index) => sameJson(member, b[index]))
    );
  }
  if (!isObject(a) || !isObject(b)) return false;
  return (
    Object.keys(a).every((key) => sameJson(a[key], b[key])) &&
    Object.keys(b).every((key) => b[key] === undefined || a[key] !== undefined)
  );
}

/** `value` without the members that equal `defaults`, or undefined where nothing is left. Lists are compared whole. */
export function withoutDefaults(value: unknown, defaults: unknown): unknown {
  if (isObject(value) && isObject(defaults)) {
    const kept = Object.entries(value)
      .map(([key, member]) => [key, withoutDefaults(member, defaults[key])] as const)
      .filter(([, member]) => member !== undefined);
    return kept.length === 0 ? undefined : Object.fromEntries(kept);
  }
  return canonicalJson(value) === canonicalJson(defaults) ? undefined : value;
}
