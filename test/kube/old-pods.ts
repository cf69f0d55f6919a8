import { expect } from "vitest";
import type { KubeClient } from "../../operator/kube/client.ts";
import type { KubeObject } from "../../operator/kube/object.ts";
import { resources } from "../../operator/kube/resources.ts";

type Pod = KubeObject & { readonly metadata: { readonly creationTimestamp?: string } };

/** A pod tells the whole second in which it was made, and one that was made in the present second counts as new. */
export async function untilOld(client: KubeClient, namespace: string): Promise<void> {
  const pods = await client.list<Pod>(resources.pods, { namespace });
  const made = pods.map(({ metadata }) => Date.parse(metadata.creationTimestamp ?? ""));
  await expect.poll(() => Date.now() - Math.max(...made)).toBeGreaterThan(1_000);
}
