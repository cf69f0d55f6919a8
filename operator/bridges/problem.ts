import { isNamespaceTerminating } from "../kube/errors.ts";
import { isRefused } from "./apply.ts";
import { Contested } from "./contest.ts";
import { NameConflict, NotCleanedUp } from "./create-child.ts";
import type { WriteProblem } from "./snapshot.ts";

/** What to report of a write that the API server refuses for good; undefined where it may succeed the next time. */
export function problemOf(error: unknown): WriteProblem | undefined {
  if (error instanceof NotCleanedUp) return { kind: "NotCleanedUp", message: error.message };
  if (error instanceof NameConflict) return { kind: "NameConflict", message: error.message };
  if (error instanceof Contested) return { kind: "Contested", message: error.message };
  if (isNamespaceTerminating(error))
    return { kind: "WriteRefused", message: "The namespace is being deleted." };
  if (!isRefused(error)) return undefined;
  return {
    kind: "WriteRefused",
    message: `The API server refused a child: ${error.message.slice(0, 400)}`,
  };
}
