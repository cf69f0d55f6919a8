/**
 * Does the observed object already say everything that the desired one says?
 *
 * Members that the desired object does not mention belong to others and are not looked at, except inside selectors:
 * there a member too many changes what is selected. Lists must match whole. A file too many in a ConfigMap is left alone: it changes
 * nothing of ours, and an apply cannot take away what somebody else has put there.
 */
export function covers(observed: unknown, desired: unknown, exact = false): boolean {
  if (desired === undefined) return true;
  if (Array.isArray(desired)) {
    return (
      Array.isArray(observed) &&
      observed.length === desired.length &&
      desired.every((member, index) => covers(observed[index], member, exact))
    );
  }
  if (typeof desired === "object" && desired !== null) {
    if (typeof observed !== "object" || observed === null || Array.isArray(observed)) return false;
    const [have, want] = [observed as Record<string, unknown>, desired as Record<string, unknown>];
    if (exact && Object.keys(have).some((key) => want[key] === undefined)) return false;
    return Object.entries(want).every(([key, member]) =>
      covers(have[key], member, exact || key === "selector" || key === "matchLabels"),
    );
  }
  return observed === desired;
}
