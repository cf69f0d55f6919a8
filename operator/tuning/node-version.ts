import { nodeFlag, takesFlag } from "../api/v1alpha1/node-flags.ts";

/** Majors whose flags were measured release by release. */
export const SUPPORTED_NODE_MAJORS = { oldest: 22, newest: 26 } as const;

/** True for "24", "24.21" or "24.21.0" of a supported major. */
export function isSupportedNode(version: string): boolean {
  const match = /^([0-9]{1,3})(\.[0-9]{1,3}){0,2}$/.exec(version);
  const major = Number(match?.[1]);
  return major >= SUPPORTED_NODE_MAJORS.oldest && major <= SUPPORTED_NODE_MAJORS.newest;
}

/** True if the version takes --max-heap-size in NODE_OPTIONS: 24.15, 25.9, 26 and newer; a major alone must take it in every minor. */
export function takesMaxHeapSize(version: string): boolean {
  const flag = nodeFlag("--max-heap-size");
  return flag !== undefined && "field" in flag && takesFlag(version, flag.sinceNode);
}
