import type { KubeClient } from "../../kube/client.ts";
import type { ReconcileResult } from "../../kube/controller.ts";
import type { KubeObject } from "../../kube/object.ts";
import { parseStatus, refOf } from "../observe.ts";
import { isOurs } from "./observed.ts";
import { outsideOf } from "./outside.ts";
import { readTakeOver } from "./read.ts";
import { takenNames } from "./view.ts";
import { giveBack } from "./writes.ts";

/** How soon it is looked again whether the old pods are ready. */
const LOOK_AGAIN_MS = 1_000;

/**
 * Gives back what a bridge that is being deleted has taken over, and lets it go when that is done. Its own pods serve until then, as they are. It rests
 * on what was noted on the objects themselves, so that no lost status leaves them as they are.
 */
export async function deleteBridge(
  client: KubeClient,
  object: KubeObject,
  nowMs: number,
  signal: AbortSignal,
): Promise<ReconcileResult> {
  const bridge = refOf(object);
  const { status } = parseStatus(object);
  const outside = outsideOf(client, object);
  const { takeOver } =
    (object as { spec?: { takeOver?: { deployment: string; services: string[] } } }).spec ?? {};
  const names = takenNames(takeOver && { takeOver }, status);
  const seen = names && (await readTakeOver(client, bridge, names, object.metadata.finalizers ?? [], signal));
  if (seen?.kind === "Forbidden")
    throw new Error(`what was taken over cannot be given back: ${seen.message}`);
  if (!names || !seen) {
    await outside({ kind: "Finalizer", change: "Remove" }, signal);
    return { kind: "done" };
  }
  const note = isOurs(seen.deployment?.note, bridge) ? seen.deployment?.note : undefined;
  const replicasBefore = note?.replicas ?? status.takeOver?.replicas ?? 0;
  const deletedMs = Date.parse(object.metadata.deletionTimestamp ?? "");
  const writes = giveBack(bridge, { names, seen, replicasBefore }, nowMs - deletedMs);
  for (const write of writes) await outside(write, signal);
  const isOver = writes.some(({ kind }) => kind === "Finalizer");
  return isOver ? { kind: "done" } : { kind: "requeueAfter", ms: LOOK_AGAIN_MS };
}
