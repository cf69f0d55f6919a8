import type { KubeClient } from "../../kube/client.ts";
import { isNotFound } from "../../kube/errors.ts";
import { addFinalizer, removeFinalizer } from "../../kube/finalizers.ts";
import type { KubeObject } from "../../kube/object.ts";
import { resources } from "../../kube/resources.ts";
import type { TakeOverWrite } from "../apply.ts";
import { LLMBRIDGES } from "../caches.ts";
import { TAKE_OVER_FINALIZER } from "./observed.ts";

const RESOURCES = {
  deployments: resources.deployments,
  services: resources.services,
  pods: resources.pods,
} as const;

/**
 * Writes to what is taken over, and the finalizer of the bridge. No cache holds the former, so its writes are not waited for: it is read by quorum.
 * @param bridge as it was read
 * @param writer remembers what is written, so that the next pass waits until the cache of bridges shows it
 */
export function outsideOf(
  client: KubeClient,
  bridge: KubeObject,
  writer: KubeClient = client,
): (write: TakeOverWrite, signal: AbortSignal | undefined) => Promise<void> {
  return (write, signal) =>
    write.kind === "Finalizer"
      ? holdDeletion(writer, bridge, write, signal)
      : patchForeign(client, bridge.metadata.namespace ?? "", write, signal);
}

/** A pod that has gone needs nothing. */
async function patchForeign(
  client: KubeClient,
  namespace: string,
  write: Extract<TakeOverWrite, { kind: "Foreign" }>,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { resource, name, uid, resourceVersion, patch } = write;
  const { metadata } = patch as { readonly metadata?: object };
  const bound = { ...metadata, uid, ...(resourceVersion === undefined ? {} : { resourceVersion }) };
  try {
    await client.mergePatch(RESOURCES[resource], namespace, name, { ...patch, metadata: bound }, { signal });
  } catch (error) {
    if (!isNotFound(error) || resource !== "pods") throw error;
  }
}

async function holdDeletion(
  client: KubeClient,
  bridge: KubeObject,
  { change }: Extract<TakeOverWrite, { kind: "Finalizer" }>,
  signal: AbortSignal | undefined,
): Promise<void> {
  const edit = change === "Add" ? addFinalizer : removeFinalizer;
  try {
    await edit(client, LLMBRIDGES, bridge, TAKE_OVER_FINALIZER, { signal });
  } catch (error) {
    if (!isNotFound(error) || change === "Add") throw error;
  }
}
