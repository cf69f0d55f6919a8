/** What the server promises since Kubernetes 1.35 (KEP-5504), and what has held long before: a positive decimal number. */
const DECIMAL = /^[1-9][0-9]*$/;

/**
 * Compares two resourceVersions of the same resource, without turning them into numbers, which lose digits above 2^53.
 * @returns negative when `a` is older, 0 when equal, positive when newer; undefined when either is not a decimal number, in which
 * case nothing can be said
 */
export function compareResourceVersions(a: string, b: string): number | undefined {
  if (a === b) return 0;
  if (!DECIMAL.test(a) || !DECIMAL.test(b)) return undefined;
  if (a.length !== b.length) return a.length - b.length;
  return a < b ? -1 : 1;
}
