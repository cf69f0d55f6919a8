/** Parts held in common at a time. A power of two. */
const SLOTS = 4096;
/** Longer texts are hardly ever the same, and looking through them costs time. In characters. */
const LONGEST_TEXT = 1024;
/** Larger parts are hardly ever the same; and a part that nobody uses any more is held until another takes its slot. In members. */
const LARGEST_PART = 64;

/**
 * Returns a function that makes equal texts, lists and objects within the values it is given the same ones, so that what thousands of objects
 * say alike is held once. What it returns equals what it was given, member by member and in the same order.
 *
 * Takes the value over: parts are replaced in place, so nobody else may hold or change it. Values that are frozen stay as they are.
 *
 * What is common is remembered in a table of fixed size in which what comes takes the place of what was there: nothing has to be forgotten, and
 * at worst something is held twice.
 */
export function createSharing(slots = SLOTS): <T>(value: T) => T {
  const held: unknown[] = new Array(slots).fill(undefined);
  const hashes = new Int32Array(slots);
  // Of the value that was visited last.
  let hash = 0;
  let members = 0;

  const common = (value: unknown): unknown => {
    const slot = (hash ^ (hash >>> 15)) & (slots - 1);
    if (hashes[slot] === hash && isSame(held[slot], value)) return held[slot];
    hashes[slot] = hash;
    held[slot] = value;
    return value;
  };

  const visit = (value: unknown): unknown => {
    members = 1;
    if (typeof value === "string") {
      hash = hashOf(value);
      return value.length > LONGEST_TEXT ? value : common(value);
    }
    hash = typeof value === "number" ? value | 0 : value === true ? 1 : 2;
    if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
    const object = value as Record<string, unknown>;
    let [ownHash, ownMembers] = [Array.isArray(value) ? 3 : 5, 1];
    for (const key of Object.keys(object)) {
      object[key] = visit(object[key]);
      ownHash = mixed(mixed(ownHash, key.length), hash);
      ownMembers += members;
    }
    [hash, members] = [ownHash, ownMembers];
    return members > LARGEST_PART ? value : common(value);
  };

  return <T>(value: T) => visit(value) as T;
}

const mixed = (hash: number, more: number): number => Math.imul(hash ^ more, 0x01000193);

/** FNV-1a over UTF-16 units. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5 | 0;
  for (let index = 0; index < text.length; index++) hash = mixed(hash, text.charCodeAt(index));
  return hash;
}

/** Whether two values are equal whose own parts are already those held in common. */
function isSame(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const [keys, others] = [Object.keys(a), Object.keys(b)];
  const [left, right] = [a as Record<string, unknown>, b as Record<string, unknown>];
  return (
    keys.length === others.length &&
    keys.every((key, index) => key === others[index] && Object.is(left[key], right[key]))
  );
}
